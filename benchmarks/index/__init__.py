"""How fast the index is, as ratios: ``python -m benchmarks.index``.

Each part is one module with a function `measure`; `engines` has what is searched, one index a file.
"""
