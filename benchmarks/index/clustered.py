"""Vectors as encoders give them: in clusters of very different sizes, of unit length; the same for the same seed."""

import numpy as np

from benchmarks.index.workload import Vectors

_CLUSTERS = 1_000
_SPREAD = 0.9
"""Length of what is added to a cluster's centre, which itself is of length 1."""
_TAIL = 1.5
"""Of the Pareto distribution of the clusters' sizes: the largest has about a hundred times as many as the median."""
_BLOCK = 100_000


def clustered(rows: int, dimensions: int, *, seed: int) -> Vectors:
    """Return float32 (rows, dimensions)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(_CLUSTERS, dimensions)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    weights = rng.pareto(_TAIL, _CLUSTERS) + 0.2
    vectors = centres[rng.choice(_CLUSTERS, rows, p=weights / weights.sum())]
    for first in range(0, rows, _BLOCK):
        block = vectors[first : first + _BLOCK]
        block += _SPREAD / np.sqrt(dimensions) * rng.standard_normal(block.shape, np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return vectors
