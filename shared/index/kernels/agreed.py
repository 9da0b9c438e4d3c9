"""The numbers by which the kernels and those who call them understand each other. To read them takes no compiler."""

COSINE = 0
SQUARED_EUCLIDEAN = 1
HAMMING = 2
"""Metrics."""

NO_ROW = 0xFFFFFFFF
"""Fills the places of a row that has fewer links than others."""
OVER_BUDGET = -1
"""Stands for the number of rows that a walk found which was given up."""
