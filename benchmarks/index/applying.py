"""Ingest on a replica: operations applied a second, against inserting the same vectors into a graph."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from benchmarks.index.apart import Apart
from benchmarks.index.building import built
from benchmarks.index.cache import Cache
from benchmarks.index.engines.afterimage import Afterimage
from benchmarks.index.fed_log import INCARNATION, FedLog, following
from benchmarks.index.lineup import OURS
from benchmarks.index.plan import Plan
from benchmarks.index.rows import delete_of, upsert_of
from benchmarks.index.seat import Seat
from benchmarks.index.sets import clustered_set
from benchmarks.index.timing import Rate, Timer
from benchmarks.index.workload import Workload
from benchmarks.table import Measured, Part, counted, median_ratio
from shared.events.operations import Operation, encode_batch, make_batch
from shared.runtime.executor import SingleThread

BATCH = 512
"""Operations in one batch: the most that an indexer appends at once where nobody sets it otherwise."""
_NEW, _MIXED = "new images", "new, replaced, deleted in turn"
_GRAPHS = ("usearch_i8_cos", "hnswlib")


def measure(plan: Plan, cache: Cache, *, graphs: Sequence[str] = _GRAPHS) -> Iterator[Part]:
    rows = max(plan.rows)
    workload = clustered_set(plan, cache, rows)
    rates: dict[str, list[Rate]] = {name: [] for name in (_NEW, _MIXED, *graphs)}
    with ExitStack() as stack:
        ours = stack.enter_context(Apart(ApplyingReplica, built(OURS, cache, workload), workload))
        seats = {
            name: stack.enter_context(Apart(Seat, name, built(name, cache, workload), workload)) for name in graphs
        }
        for _ in counted("applying: rounds", plan.rounds):
            rates[_NEW].append(ours.call("new", 10 * plan.queries))
            rates[_MIXED].append(ours.call("mixed", 10 * plan.queries))
            for name, seat in seats.items():
                rates[name].append(seat.call("inserted", plan.queries))
        labels = {name: f"{seat.call('label').name} add" for name, seat in seats.items()}
    cpu = {name: [rate.cpu for rate in measured] for name, measured in rates.items()}
    yield Part(
        title=f"Ingest on a replica that holds {rows:,} clustered x {plan.dimensions}",
        unit="operations/s of processor time",
        rows=[Measured(name=labels.get(name, f"afterimage, {name}"), values=values) for name, values in cpu.items()],
        ratios={
            f"replica_apply_over_{'usearch' if name.startswith('usearch') else name}_add": median_ratio(
                cpu[_NEW], cpu[name]
            )
            for name in graphs
        },
        notes=[f"afterimage: encoded batches of {BATCH}, decoded and applied by a live replica"],
    )


class ApplyingReplica:
    """Lives in a child."""

    def __init__(self, folder: Path, workload: Path) -> None:
        engine = Afterimage()
        engine.open(folder)
        self._shard = engine.shard
        self._codes = engine.form(Workload.load(workload).base[: 20 * BATCH])
        self._ids = self._end = engine.shard.position + 1

    def new(self, count: int) -> Rate:
        return asyncio.run(self._apply([self._upsert_new(offset) for offset in self._offsets(count)]))

    def mixed(self, count: int) -> Rate:
        """A third of each, the replaced and deleted ones from all that there are."""
        operations: list[Operation] = []
        for offset in self._offsets(count):
            known = offset * 7 % self._ids
            match offset % 3:
                case 0:
                    operations.append(self._upsert_new(offset))
                case 1:
                    operations.append(upsert_of(known, self._code(offset), offset=offset))
                case _:
                    operations.append(delete_of(known, offset=offset))
        return asyncio.run(self._apply(operations))

    async def _apply(self, operations: Sequence[Operation]) -> Rate:
        batches = _encoded(operations, previous=self._shard.position)
        log = FedLog(self._shard.position)
        with SingleThread("index") as thread:
            async with following(log, self._shard, thread) as replica:
                with Timer() as timer:
                    for data in batches:
                        log.feed(replica, data)
                    await replica.wait_for(operations[-1].offset)
        return timer.rate(len(operations))

    def _offsets(self, count: int) -> range:
        first, self._end = self._end, self._end + count
        return range(first, self._end)

    def _upsert_new(self, offset: int) -> Operation:
        self._ids += 1
        return upsert_of(self._ids - 1, self._code(offset), offset=offset)

    def _code(self, offset: int) -> bytes:
        return self._codes[offset % len(self._codes)]


def _encoded(operations: Sequence[Operation], *, previous: int) -> list[bytes]:
    batches = [list(operations[first : first + BATCH]) for first in range(0, len(operations), BATCH)]
    positions = [previous, *(batch[-1].offset for batch in batches)]
    return [
        encode_batch(make_batch(incarnation=INCARNATION, previous=before, position=position, operations=batch))
        for batch, (before, position) in zip(batches, pairwise(positions), strict=True)
    ]
