"""Where Kafka and Redis are, and what we show so that they let us in.

No client library is here: `bus` and `replication` use what this describes.
"""
