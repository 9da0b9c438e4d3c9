"""The file of the graph: USearch's own format, which begins with the codes: so they are stored once.

The layout of USearch 2.26 (a test holds it to that): rows and bytes per code as uint32, the codes by row, the graph.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from usearch.index import Index

from shared.index.selection import RowNumbers
from shared.index.vectors import VectorFormat

FILE = "graph.usearch"
CONNECTIVITY = 16
EXPANSION_ADD = 128
_HEADER = np.dtype(np.uint32)
_HEADER_BYTES = 2 * _HEADER.itemsize

Codes = npt.NDArray[np.uint8]
"""uint8, (rows, bytes per code)"""


def write_graph(path: Path, codes: Codes, vector_format: VectorFormat) -> None:
    """Build the graph over the codes, with row numbers for keys, and write it. Takes a core for long.

    One thread inserts: then every row can be reached, and the same rows give the same file. The file is written from
    here and not by USearch, which does not say when the disk is full.
    """
    vectors = vector_format.view(codes)
    graph = _empty(vectors.shape[1], vector_format, EXPANSION_ADD)
    graph.add(np.arange(len(vectors), dtype=np.uint64), vectors, threads=1)
    path.write_bytes(graph.save() or b"")


class Graph:
    """A graph that is read where it lies. Its file must have been verified: a damaged one crashes the process."""

    def __init__(self, path: Path, vector_format: VectorFormat, *, rows: int, code_bytes: int, expansion: int) -> None:
        """Open it. expansion: candidates that a search keeps in view.

        Raises ValueError where the file is of another layout than this release reads.
        """
        header = np.fromfile(path, _HEADER, 2)
        if header.tolist() != [rows, code_bytes]:
            raise ValueError(f"{path} begins with {header.tolist()} instead of {[rows, code_bytes]}")
        self.codes: Codes = np.asarray(
            np.memmap(path, np.uint8, mode="r", offset=_HEADER_BYTES, shape=(rows, code_bytes))
        )
        self._format = vector_format
        self._index = _empty(code_bytes // vector_format.dtype.itemsize, vector_format, expansion)
        self._index.view(path)

    def nearest(self, query: npt.NDArray[np.uint8], k: int) -> RowNumbers:
        """Return the numbers of about the `k` nearest rows."""
        found = self._index.search(self._format.view(query[np.newaxis])[0], k, threads=1)
        return np.asarray(found.keys).astype(np.intp)


def _empty(dimensions: int, vector_format: VectorFormat, expansion: int) -> Index:
    return Index(
        ndim=dimensions,
        metric=vector_format.kind,
        dtype=vector_format.element,
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=expansion,
        enable_key_lookups=False,
    )
