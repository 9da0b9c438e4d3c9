"""The indexer: the one writer of each shard's replication log."""
