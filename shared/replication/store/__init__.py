"""Where sealed segments are kept, and how they come to a worker.

`objects.py` keeps bytes under names, in a folder or a bucket; `manifest.py` says what a shard consisted of at a
position. `segment_store.py` puts both there and fetches them, verified; `snapshots.py` is how a replica comes by them.
`copying.py` and `restoring.py` are for an operator's snapshots.
"""
