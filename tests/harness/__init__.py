"""Real processes for tests: Kafka, Redis, the workers, and a network that fails on demand."""
