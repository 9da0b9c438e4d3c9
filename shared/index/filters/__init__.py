"""Conditions on what is known of an image beside its code.

`syntax.py` reads them from JSON; `condition.py` says what they mean for one row; `fields.py`, `column.py` and
`table.py` evaluate them over all rows of a segment at once.
"""
