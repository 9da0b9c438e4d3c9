"""Whoever seals dies at every step in turn: the newest manifest is whole, and says what was true at its position."""

import random
from collections.abc import Iterable
from pathlib import Path

from shared.events.operations import Operation
from shared.index.shard import Shard
from shared.replication.store.objects import FolderStore
from tests.fakes.operations import INCARNATION, code, delete, upsert
from tests.fakes.sealing import SHARD, SealingWriter
from tests.faults.chance import chance

GENERATIONS = 6
PER_GENERATION = 12


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing that comes after happens."""


class MortalStore(FolderStore):
    """Dies at the step of that number: before it, or right after it, by turns."""

    def __init__(self, folder: Path, *, dies_at: int) -> None:
        super().__init__(folder)
        self.steps = 0
        self._dies_at = dies_at

    def put(self, path: str, content: Path | bytes) -> None:
        self._step()
        super().put(path, content)
        self._step()

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._step()
            super().delete([path])
        self._step()

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._dies_at:
            raise Killed


def operations(rng: random.Random) -> list[Operation]:
    """Upserts and deletes of few ids, so that rows die in sealed segments."""
    return [
        delete(offset, str(rng.randrange(20)))
        if rng.random() < 0.2
        else upsert(offset, str(rng.randrange(20)), of=code(*(rng.randint(-9, 9) or 1 for _ in range(4))))
        for offset in range(GENERATIONS * PER_GENERATION)
    ]


async def life(objects: FolderStore, folder: Path, story: list[Operation]) -> Shard:
    """Restore, go on from there, and seal after each dozen of operations."""
    process = SealingWriter(objects, folder)
    await process.start()
    for end in range(PER_GENERATION, len(story) + 1, PER_GENERATION):
        news = [operation for operation in story[:end] if operation.offset > process.writer.fold.position]
        if news:
            await process.append(*news)
            await process.sealer.seal(process.writer)
    return process.writer.fold


async def test_a_crash_at_any_step_of_sealing_and_publishing_loses_nothing(tmp_path: Path) -> None:
    story = operations(chance())
    truth = Shard()
    checksums = {-1: truth.checksum}
    for operation in story:
        truth.apply([operation], position=operation.offset)
        checksums[operation.offset] = truth.checksum
    counting = MortalStore(tmp_path / "counting", dies_at=-1)
    await life(counting, tmp_path / "whole", story)
    assert counting.steps > 70
    for step in range(1, counting.steps + 1):
        folder = tmp_path / str(step)
        try:
            await life(MortalStore(folder, dies_at=step), tmp_path / "first life", story)
        except Killed:
            pass
        else:
            raise AssertionError(f"step {step} never came")
        successor = SealingWriter(FolderStore(folder), tmp_path / "second life")
        restored = await successor.sealer.restore(SHARD)
        if restored is not None:
            assert restored.checksum == checksums[restored.position], f"step {step}"
        fold = await life(FolderStore(folder), tmp_path / "third life", story)
        assert fold.checksum == truth.checksum, f"step {step}"
        newest = next(successor.store.manifests(SHARD, incarnation=INCARNATION, beyond=-1, now_ms=successor.now_ms))
        assert (newest.position, newest.checksum) == (story[-1].offset, truth.checksum), f"step {step}"
