"""What every worker process has: settings, logs, metrics, probes, background tasks, an orderly stop."""
