"""LanceDB, in this process."""

import os
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("LANCE_LOG", "error")  # it would warn of each search

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import HnswSq

from benchmarks.index.databases.database import EFFORTS
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.workload import RowNumbers, Vectors

_BATCH = 10_000


class Lance:
    """A Database."""

    name = f"lancedb {version('lancedb')}, IVF (1 list) HNSW SQ8"
    efforts = EFFORTS

    def create(self, folder: Path, dimensions: int) -> None:
        self._schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32(), dimensions))])
        self._table = lancedb.connect(folder).create_table("vectors", schema=self._schema)
        self._indexed = False

    def add(self, numbers: RowNumbers, vectors: Vectors) -> None:
        for first in range(0, len(numbers), _BATCH):
            part = slice(first, first + _BATCH)
            values = pa.array(np.ascontiguousarray(vectors[part]).ravel())
            columns = [pa.array(numbers[part]), pa.FixedSizeListArray.from_arrays(values, vectors.shape[1])]
            self._table.add(pa.Table.from_arrays(columns, schema=self._schema))

    def delete(self, numbers: RowNumbers) -> None:
        for first in range(0, len(numbers), _BATCH):
            self._table.delete(f"id IN ({', '.join(map(str, numbers[first : first + _BATCH].tolist()))})")

    def settle(self) -> None:
        """Build the index, and later have it take in what came since."""
        if self._indexed:
            self._table.optimize()
            return
        self._indexed = True
        config = HnswSq(distance_type="cosine", num_partitions=1, m=CONNECTIVITY, ef_construction=EXPANSION_ADD)
        self._table.create_index("vector", config=config)

    def tune(self, effort: int) -> None:
        self._effort = effort

    def form(self, queries: Vectors) -> list[Vectors]:
        return list(queries)

    def nearest(self, query: Vectors, k: int) -> list[int]:
        search = self._table.search(query).distance_type("cosine").limit(k).ef(self._effort)
        return search.select(["id", "_distance"]).to_arrow()["id"].to_pylist()

    def close(self) -> None:
        pass
