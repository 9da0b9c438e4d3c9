"""The loops of a search, compiled by Numba. They hold no lock of Python's while they run.

`comparing.py` compares two codes, with `byte_products.py` where they are bytes; `scan.py` ranks codes exactly, all of
them or a few; `traverse.py` walks a graph to find which few. `best.py`, `heap.py` and `prefetch.py` are what those keep
their books with.

Why not USearch's own search: it takes no mask, its exact search of one query takes four times as long a row, and the
graph that it walks lies scattered in memory. docs/adr/0011 has the figures.
"""
