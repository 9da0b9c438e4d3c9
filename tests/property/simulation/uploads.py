"""What the extractors write: new images, deletes, some of them late, and now and then a code of another scheme."""

import asyncio

from shared.events.images import SourcePosition
from shared.events.operations import Delete, Operation, Upsert
from tests.fakes.operations import SCHEME, code
from tests.property.simulation.surroundings import SHARD, Surroundings

_IDS = [f"image-{number}" for number in range(12)]
_MOST_LATE = 8
_OTHER_SCHEME = "scheme-b"


class Uploads:
    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._rng = around.rng
        self._late_ones = self._rng.choice([0.1, 0.5])
        self._foreign_ones = self._rng.choice([0.0, 0.05, 0.3])
        self._next_source = 0
        self._late: list[Operation] = []

    async def run(self) -> None:
        while True:
            if not self._around.calm:
                self._write_one()
            await asyncio.sleep(self._rng.uniform(0.0, 0.2))

    def write_all_that_is_late(self) -> None:
        while self._late:
            self._around.write_operation(self._late.pop(0))

    def _write_one(self) -> None:
        event = self._late.pop(0) if self._late and self._rng.random() < 0.2 else self._event()
        if len(self._late) < _MOST_LATE and self._rng.random() < self._late_ones:
            self._late.append(event)
        else:
            self._around.write_operation(event)

    def _event(self) -> Operation:
        self._next_source += 1
        source = SourcePosition(offset=self._next_source, partition=SHARD)
        image_id = self._rng.choice(_IDS)
        uploaded_at = self._around.extractor_clock()
        if self._rng.random() < 0.3:
            return Delete(offset=0, id=image_id, source=source, uploaded_at=uploaded_at)
        return Upsert(
            offset=0,
            id=image_id,
            source=source,
            uploaded_at=uploaded_at,
            code=code(*(self._rng.randint(-9, 9) or 1 for _ in range(4))),
            scheme=_OTHER_SCHEME if self._around.truth.scheme and self._rng.random() < self._foreign_ones else SCHEME,
        )
