"""The index of a shard: the fold of one partition of `images.features`, and search over it. No network here.

A shard is made of segments (`segment.py` says what one is). Today there is one kind, the growing segment
(`growing.py`); `shard.py` folds operations into it by the rule that the highest upload offset wins.
"""
