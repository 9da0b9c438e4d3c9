"""The shard against a model that is too simple to be wrong: a dictionary, and the similarity as it is defined."""
