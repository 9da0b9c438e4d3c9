"""The index of a shard: the fold of one partition of `images.features`, and search over it. No network here.

A shard is made of segments (`segment.py` says what one is): a growing one in memory (`growing.py`), and sealed ones in
files (`sealed/`). `ranking.py` ranks the codes of either by the loops in `kernels/`. `shard.py` folds operations in by
the rule that the highest upload offset wins.
"""
