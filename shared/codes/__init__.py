"""Codes: how feature vectors become the bytes that are stored and compared.

`code.py` is the role; `f32.py`, `f16.py` and `i8.py` need no fitting. What is learned from vectors is written as a
recipe (`recipe.py`), found by `fitting/`, kept in a file (`fitted_file.py`) and applied by `fitted.py`.
`description.py` tells the index what to expect, and `registry.py` loads a code by its setting.
"""
