"""Building the graph: USearch does, and what it links is written as arrays."""

from pathlib import Path

import numpy as np
from usearch.compiled import MetricKind
from usearch.index import Index

from shared.index.sealed.graph import CODES, CONNECTIVITY, LINKS, NORMS, SIGNPOSTS, UPPER
from shared.index.sealed.navigation import landmarks_of, needs_signposts
from shared.index.sealed.usearch_layout import read_levels
from shared.index.vectors import Codes, Metric, VectorFormat

EXPANSION_ADD = 128
_METRICS: dict[Metric, MetricKind] = {
    "cos": MetricKind.Cos,
    "l2sq": MetricKind.L2sq,
    "hamming": MetricKind.Hamming,
}


def write_graph(folder: Path, codes: Codes, vector_format: VectorFormat) -> None:
    """Build the graph over the codes, by row number, and write its files. Takes a core for long.

    One thread inserts: then every row can be reached, and the same rows give the same files.
    """
    vectors = vector_format.view(codes)
    graph = Index(
        ndim=8 * vectors.shape[1] if vector_format.element == "b1" else vectors.shape[1],
        metric=_METRICS[vector_format.metric],
        dtype=vector_format.element,
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
    np.save(folder / NORMS, norms)
    np.save(folder / LINKS, levels.links)
    np.save(folder / UPPER, levels.upper)
