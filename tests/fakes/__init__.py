"""What stands in for Kafka, Redis, threads and the clock where a test must be exact: each keeps its role's contract."""
