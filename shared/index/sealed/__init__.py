"""Sealed segments: rows that no longer change, in files that are written once, verified, and read where they lie.

`description.py` says what the files are and whether they are whole; `rows.py`, `ids.py` and `fields.py` are one file
each, `graph.py` the files of the graph, which `graph_building.py` makes of what USearch links (`usearch_layout.py`)
and of what a walk compares (`navigation.py`); `writing.py` writes all of them, `segment.py` searches them;
`building.py` has segments written by a child (`child.py`).
"""
