"""Milvus Lite, in this process, through its own client."""

import logging
from importlib.metadata import version
from pathlib import Path

from pymilvus import DataType, MilvusClient

from benchmarks.index.databases.database import EFFORTS
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.workload import RowNumbers, Vectors

logging.getLogger("grpc").setLevel(logging.CRITICAL)  # its server logs what its client asks for and it has not
_BATCH = 1_000
_NAME = "vectors"


class Milvus:
    """A Database."""

    name = f"milvus-lite {version('milvus-lite')}, HNSW f32"
    efforts = EFFORTS

    def create(self, folder: Path, dimensions: int) -> None:
        self._client = MilvusClient(str(folder / "milvus.db"))
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
        index = self._client.prepare_index_params()
        parameters = {"M": CONNECTIVITY, "efConstruction": EXPANSION_ADD}
        index.add_index("vector", index_type="HNSW", metric_type="IP", params=parameters)
        self._client.create_collection(_NAME, schema=schema, index_params=index)

    def add(self, numbers: RowNumbers, vectors: Vectors) -> None:
        for first in range(0, len(numbers), _BATCH):
            part = slice(first, first + _BATCH)
            rows = zip(numbers[part].tolist(), vectors[part].tolist(), strict=True)
            self._client.insert(_NAME, [{"id": number, "vector": vector} for number, vector in rows])

    def delete(self, numbers: RowNumbers) -> None:
        for first in range(0, len(numbers), _BATCH):
            self._client.delete(_NAME, ids=numbers[first : first + _BATCH].tolist())

    def settle(self) -> None:
        self._client.flush(_NAME)
        self._client.load_collection(_NAME)

    def tune(self, effort: int) -> None:
        self._parameters = {"metric_type": "IP", "params": {"ef": effort}}

    def form(self, queries: Vectors) -> list[list[list[float]]]:
        return [[query.tolist()] for query in queries]

    def nearest(self, query: list[list[float]], k: int) -> list[int]:
        [found] = self._client.search(_NAME, query, anns_field="vector", limit=k, search_params=self._parameters)
        return [hit["id"] for hit in found]

    def close(self) -> None:
        self._client.close()
