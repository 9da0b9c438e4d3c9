"""HTTP and a web page in front of the bus, for people and for callers without a Kafka client."""
