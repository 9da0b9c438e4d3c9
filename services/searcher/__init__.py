"""The searcher: a replica of every shard, and the answers to search requests."""
