"""Replication of shards through Redis: the log, its one writer, and the state machine of a replica.

Redis is disposable: everything here can be rebuilt from `images.features`. Beside `shared.cache`, which keeps codes
there, only this package speaks to Redis.
"""
