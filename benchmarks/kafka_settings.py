"""Which settings of the Kafka clients are the best for the records that travel here: ``make bench-kafka``.

One setting at a time differs from those that the workers have now. All have their turns in each round, on one broker.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice, takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.kafka_records import records
from benchmarks.machine import describe
from benchmarks.table import Measured, Part, counted, median_ratio, say
from shared.bus.cluster import Cluster
from shared.bus.consumer import CONSUMER_SETTINGS
from shared.bus.producer import MAX_RECORD_BYTES, PRODUCER_SETTINGS
from shared.events.topics import TopicSpec
from shared.runtime.logging import configure_logging
from tests.harness.choice import choose_broker

ROUNDS = 5
UNDER_WAY = 128
"""As many records wait for Kafka as an extractor has uploads under way."""
ALONE = 15
TURN_S = 0.6
COUNTS = MappingProxyType({"features": 10_000, "references": 20_000, "inline": 1000})
"""What there is to consume, again and again."""
KIB, MIB = 1024, 1024 * 1024

Settings = Mapping[str, Any]

PRODUCER_NOW: Settings = MappingProxyType({"linger_ms": 0, **PRODUCER_SETTINGS})
PRODUCER: Mapping[str, Sequence[object]] = MappingProxyType(
    {
        "linger_ms": (0, 2, 5, 20),
        "max_batch_size": (16 * KIB, 256 * KIB, MIB),
        "compression_type": (None, "lz4", "zstd", "gzip"),
    }
)
CONSUMER_NOW: Settings = MappingProxyType({"max_poll_records": 128, **CONSUMER_SETTINGS})
CONSUMER: Mapping[str, Sequence[object]] = MappingProxyType(
    {
        "max_partition_fetch_bytes": (MIB, 4 * MIB, 16 * MIB),
        "fetch_max_bytes": (4 * MIB, 50 * MIB),
        "max_poll_records": (32, 128, 512),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What came of one turn. alone_ms: the median of records of which each waited for the one before it."""

    per_s: float
    alone_ms: float | None = None


def variants(now: Settings, choices: Mapping[str, Sequence[object]]) -> dict[str, Settings]:
    """The settings of now, and those that differ from them in one."""
    others = ((name, value) for name, values in choices.items() for value in values if value != now[name])
    return {"now": now, **{f"{name}_{value}": {**now, name: value} for name, value in others}}


class Bench:
    """One kind of records, on a topic of its own."""

    def __init__(self, bootstrap_servers: str, topic: str, values: Sequence[bytes]) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        self._values = values

    async def fill(self) -> None:
        async with Cluster(self._bootstrap_servers) as cluster:
            await cluster.create_topics([TopicSpec(name=self._topic, partitions=1, config={})])
        async with self._producer(PRODUCER_NOW) as producer:
            await self._send_all(producer, iter(self._values))

    async def produce(self, settings: Settings) -> Pace:
        async with self._producer(settings) as producer:
            await producer.send_and_wait(self._topic, self._values[0])
            began = time.perf_counter()
            values = takewhile(lambda _: time.perf_counter() < began + TURN_S, cycle(self._values))
            per_s = await self._send_all(producer, values) / (time.perf_counter() - began)
            return Pace(per_s=per_s, alone_ms=statistics.median([await self._send_one(producer) for _ in range(ALONE)]))

    async def consume(self, settings: Settings) -> Pace:
        options = dict(settings)
        most = options.pop("max_poll_records")
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False, **options)
        await consumer.start()
        try:
            consumer.assign([TopicPartition(self._topic, 0)])
            began, seen = time.perf_counter(), 0
            while time.perf_counter() < began + TURN_S:
                await consumer.seek_to_beginning()
                end = seen + len(self._values)
                while seen < end:
                    seen += sum(map(len, (await consumer.getmany(timeout_ms=500, max_records=most)).values()))
            return Pace(per_s=seen / (time.perf_counter() - began))
        finally:
            await consumer.stop()

    async def _send_all(self, producer: AIOKafkaProducer, values: Iterator[bytes]) -> int:
        """As an extractor does: each record waits for its acknowledgement. Returns how many there were."""
        sent = 0

        async def send() -> None:
            nonlocal sent
            for value in values:
                await producer.send_and_wait(self._topic, value)
                sent += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(UNDER_WAY):
                tasks.create_task(send())
        return sent

    async def _send_one(self, producer: AIOKafkaProducer) -> float:
        began = time.perf_counter()
        await producer.send_and_wait(self._topic, self._values[0])
        return 1000 * (time.perf_counter() - began)

    @asynccontextmanager
    async def _producer(self, settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            max_request_size=MAX_RECORD_BYTES,
            **settings,
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()


async def compare(
    kind: str, verb: str, measure: Callable[[Settings], Awaitable[Pace]], trials: Mapping[str, Settings], note: str
) -> Part:
    """Give each of the trials a turn in each round, another one first each time."""
    paces: dict[str, list[Pace]] = {name: [] for name in trials}
    turns = list(trials)
    for first in counted(f"{verb} {kind}", ROUNDS):
        for name in turns[first:] + turns[:first]:
            paces[name].append(await measure(trials[name]))
    rates = {name: [pace.per_s for pace in measured] for name, measured in paces.items()}
    return Part(
        title=f"{verb} {kind}",
        unit="records/s",
        rows=[Measured(name=name, values=rates[name], note=_alone(paces[name])) for name in trials],
        ratios={f"{kind}_{name}_over_now": median_ratio(rates[name], rates["now"]) for name in turns if name != "now"},
        notes=[note],
    )


def _alone(paces: Sequence[Pace]) -> str:
    each = [pace.alone_ms for pace in paces if pace.alone_ms is not None]
    return f"{statistics.median(each):.1f} ms alone" if each else ""


async def compare_all(bootstrap_servers: str) -> dict[str, float]:
    ratios: dict[str, float] = {}
    for kind, values in (await asyncio.to_thread(records)).items():
        bench = Bench(bootstrap_servers, f"bench.{kind}", list(islice(cycle(values), COUNTS[kind])))
        await bench.fill()
        left = len(zlib.compress(b"".join(values))) / sum(map(len, values))
        note = f"{sum(map(len, values)) / len(values):.0f} bytes each, of which gzip leaves {left:.0%}"
        for part in (
            await compare(kind, "produce", bench.produce, variants(PRODUCER_NOW, PRODUCER), note),
            await compare(kind, "consume", bench.consume, variants(CONSUMER_NOW, CONSUMER), note),
        ):
            part.show()
            ratios |= part.ratios
    return ratios


def main() -> None:
    configure_logging(level="WARNING")
    started = time.perf_counter()
    print(describe())
    choice = choose_broker()
    if choice.warning():
        sys.exit(f"These are settings for Apache Kafka, which is not there: {choice.why_not_kafka}")
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as folder, choice.make(Path(folder)) as broker:
        print(f"broker: {broker.title}")
        print(f"now: {dict(PRODUCER_NOW)}, {dict(CONSUMER_NOW)}")
        ratios = asyncio.run(compare_all(broker.bootstrap_servers))
    say(f"done in {time.perf_counter() - started:.0f} s")
    print(json.dumps({name: round(ratio, 3) for name, ratio in ratios.items()}))


if __name__ == "__main__":
    main()
