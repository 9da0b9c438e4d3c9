"""Sealing: what has grown becomes a segment, built in a process of its own, and a manifest says what there is then."""
