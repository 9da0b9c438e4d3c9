"""Queries by one caller and by many, over Kafka and over HTTP, against their bare parts: ``make bench-query``."""
