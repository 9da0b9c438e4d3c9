"""Replication of shards through Redis: the log, its one writer, and the state machine of a replica.

Redis is disposable: everything here can be rebuilt from `images.features`. Only this package speaks to Redis.
"""
