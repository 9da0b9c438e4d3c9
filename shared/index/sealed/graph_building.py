"""Building the graph: USearch does, and what it links is written as arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind
from usearch.index import Index

from shared.index.sealed.graph import CODES, CODEWORDS, CONNECTIVITY, LINKS, NORMS, SIGNPOSTS, UPPER
from shared.index.sealed.navigation import landmarks_of, needs_signposts
from shared.index.sealed.usearch_layout import read_levels
from shared.index.vectors import Codes, Metric, VectorFormat

EXPANSION_ADD = 128
_CHUNK_ROWS = 10_000
_METRICS: dict[Metric, MetricKind] = {
    "cos": MetricKind.Cos,
    "l2sq": MetricKind.L2sq,
    "hamming": MetricKind.Hamming,
}


def write_graph(folder: Path, codes: Codes, vector_format: VectorFormat) -> None:
    """Build the graph over the codes, by row number, and write its files. Takes a core for long.

    One thread inserts: then every row can be reached, and the same rows give the same files.
    """
    vectors, element = _linked(codes, vector_format)
    graph = Index(
        ndim=8 * vectors.shape[1] if element == "b1" else vectors.shape[1],
        metric=_METRICS[vector_format.metric],
        dtype=element,
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        enable_key_lookups=False,
    )
    graph.add(np.arange(len(vectors), dtype=np.uint64), vectors, threads=1)
    levels = read_levels(np.frombuffer(graph.save() or b"", np.uint8))
    steps, norms = landmarks_of(codes, vector_format)
    np.save(folder / CODES, codes)
    if needs_signposts(vector_format):
        np.save(folder / SIGNPOSTS, steps)
    if vector_format.codebook is not None:
        np.save(folder / CODEWORDS, vector_format.codebook.words)
    np.save(folder / NORMS, norms)
    np.save(folder / LINKS, levels.links)
    np.save(folder / UPPER, levels.upper)


def _linked(codes: Codes, vector_format: VectorFormat) -> tuple[npt.NDArray[np.generic], str]:
    """Return the vectors that the graph is built over, and USearch's name for their type.

    Those that codewords stand for are compared by a byte a dimension, which is enough to link them.
    """
    codebook = vector_format.codebook
    if not vector_format.quantizes or codebook is None:
        return vector_format.view(codes), vector_format.element
    steps = np.empty((len(codes), codebook.dim), np.int8)
    for first in range(0, len(codes), _CHUNK_ROWS):
        vectors = codebook.vectors_of(codes[first : first + _CHUNK_ROWS])
        peaks = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        steps[first : first + _CHUNK_ROWS] = np.round(vectors / peaks * np.float32(127))
    return steps, "i8"
