"""Sealed segments: rows that no longer change, in files that are written once, verified, and read where they lie.

`description.py` says what the files are and whether they are whole; `graph.py`, `rows.py`, `ids.py` and `fields.py` are
one file each; `writing.py` writes all of them, `segment.py` searches them; `building.py` has that done by a child.
"""
