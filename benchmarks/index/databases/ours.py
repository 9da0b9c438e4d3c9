"""A shard of ours with its writer and its sealing, in this process, without Kafka and Redis."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.index.databases.database import EFFORTS
from benchmarks.index.engines import quantized
from benchmarks.index.rows import delete_of, upsert_of
from benchmarks.index.sealing_shard import sealing_shard
from benchmarks.index.workload import RowNumbers, Vectors
from shared.events.operations import Operation
from shared.index.sealed.segment import SealedSegment
from shared.index.shard import Shard

_BATCH = 512


class Ours:
    """A Database."""

    name = "afterimage i8, sealed"
    efforts = EFFORTS

    def create(self, folder: Path, dimensions: int) -> None:  # noqa: ARG002 - the first code says
        self._folder = folder
        self._runner = asyncio.Runner()
        self._resources = AsyncExitStack()
        self._writer, self._sealing = self._runner.run(
            self._resources.enter_async_context(sealing_shard(folder, seal_rows=1))
        )
        self._offset = 0

    def add(self, numbers: RowNumbers, vectors: Vectors) -> None:
        for first in range(0, len(numbers), _BATCH):
            part = slice(first, first + _BATCH)
            codes = quantized.for_cosine(vectors[part])
            self._append(
                [
                    upsert_of(number, code.tobytes(), offset=self._offset + place)
                    for place, (number, code) in enumerate(zip(numbers[part].tolist(), codes, strict=True))
                ]
            )

    def delete(self, numbers: RowNumbers) -> None:
        for first in range(0, len(numbers), _BATCH):
            part = numbers[first : first + _BATCH].tolist()
            self._append([delete_of(number, offset=self._offset + place) for place, number in enumerate(part)])

    def settle(self) -> None:
        self._runner.run(self._sealing.seal(self._writer))
        self._shard = self._writer.fold

    def tune(self, effort: int) -> None:
        """The same shard, opened anew."""
        sealed = self._writer.fold.sealed.values()
        opened = [
            SealedSegment(self._folder / "own" / segment.name, segment.description, expansion=effort)
            for segment in sealed
        ]
        self._shard = Shard.restored(self._writer.fold.contents(), opened)

    def form(self, queries: Vectors) -> list[bytes]:
        return [code.tobytes() for code in quantized.for_cosine(queries)]

    def nearest(self, query: bytes, k: int) -> list[int]:
        return [int(match.row.id) for match in self._shard.search(query, k)]

    def close(self) -> None:
        self._runner.run(self._resources.aclose())
        self._runner.close()

    def _append(self, operations: list[Operation]) -> None:
        self._offset += len(operations)
        self._runner.run(self._writer.append(operations, position=self._offset - 1))
