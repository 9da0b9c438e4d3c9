"""How well codes find what belongs together.

Rankings are made as the index makes them, and judged by the folders that the pictures lie in.
"""
