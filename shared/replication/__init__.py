"""Replication of shards: the log in Redis, its one writer, the state machine of a replica, the store of segments.

Redis is disposable: everything here can be rebuilt from `images.features`. Beside `shared.cache`, which keeps codes
there, only this package speaks to Redis.
"""
