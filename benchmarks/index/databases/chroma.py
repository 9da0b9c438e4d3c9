"""Chroma, in this process."""

from importlib.metadata import version
from pathlib import Path

import chromadb
from chromadb.api.client import SharedSystemClient
from chromadb.config import Settings

from benchmarks.index.databases.database import EFFORTS
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.workload import RowNumbers, Vectors

_BATCH = 1_000
_NAME = "vectors"


class Chroma:
    """A Database."""

    name = f"chromadb {version('chromadb')}, HNSW f32"
    efforts = EFFORTS

    def create(self, folder: Path, dimensions: int) -> None:  # noqa: ARG002 - the first vector says
        self._folder = folder
        self._open()
        self._collection = self._client.create_collection(
            _NAME,
            embedding_function=None,
            configuration={
                "hnsw": {
                    "space": "cosine",
                    "max_neighbors": CONNECTIVITY,
                    "ef_construction": EXPANSION_ADD,
                    "num_threads": 1,
                }
            },
        )

    def add(self, numbers: RowNumbers, vectors: Vectors) -> None:
        for first in range(0, len(numbers), _BATCH):
            part = slice(first, first + _BATCH)
            self._collection.add(ids=[str(number) for number in numbers[part]], embeddings=vectors[part])

    def delete(self, numbers: RowNumbers) -> None:
        for first in range(0, len(numbers), _BATCH):
            self._collection.delete(ids=[str(number) for number in numbers[first : first + _BATCH]])

    def settle(self) -> None:
        """It inserts as it goes."""

    def tune(self, effort: int) -> None:
        """Takes effect where the collection is opened next."""
        self._collection.modify(configuration={"hnsw": {"ef_search": effort}})
        self.close()
        self._open()
        self._collection = self._client.get_collection(_NAME, embedding_function=None)

    def form(self, queries: Vectors) -> list[Vectors]:
        return [query[None] for query in queries]

    def nearest(self, query: Vectors, k: int) -> list[int]:
        found = self._collection.query(query_embeddings=query, n_results=k, include=[])
        return [int(number) for number in found["ids"][0]]

    def close(self) -> None:
        self._client.close()
        SharedSystemClient.clear_system_cache()

    def _open(self) -> None:
        self._client = chromadb.PersistentClient(str(self._folder), settings=Settings(anonymized_telemetry=False))
