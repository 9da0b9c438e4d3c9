"""What streaming costs: the service against its bare parts, in one run, as ratios. Run: ``python -m benchmarks``."""
