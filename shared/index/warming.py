"""Having the loops of a search compiled before the first search waits for them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from shared.index.ranking import rank_codes
from shared.index.sealed.graph import Graph
from shared.index.sealed.graph_building import write_graph
from shared.index.vectors import VectorFormat


def warm_up(vector_format: VectorFormat) -> None:
    """Search for one code among two, in each way. Takes seconds where nothing was compiled before."""
    codebook = vector_format.codebook
    code_bytes = 8
    if codebook is not None:
        code_bytes = codebook.places if vector_format.quantizes else vector_format.dtype.itemsize * codebook.dim
    codes = np.ones((2, code_bytes), np.uint8)
    every = np.ones(2, np.bool_)
    with TemporaryDirectory() as folder:
        write_graph(Path(folder), codes, vector_format)
        graph = Graph(Path(folder), vector_format, rows=2, code_bytes=code_bytes)
        queries = np.frombuffer(vector_format.query_of(codes[0].tobytes()), np.uint8).reshape(1, -1)
        rank_codes(codes, queries, 1, vector_format, every)
        graph.search(queries, 1, every, expansion=1, budget=2)
