"""What every worker process has: settings, logs, metrics, traces, probes, background tasks, an orderly stop."""
