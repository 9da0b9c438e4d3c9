"""Producing records: sent in batches, acknowledged by all replicas, tried again until they are."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata

from shared.bus.faults import NO_RIGHT, BusRefused, BusUnavailable, bus_faults
from shared.bus.letting_in import not_let_in
from shared.runtime.logging import get_logger
from shared.wires.kafka import Servers, kafka_servers

log = get_logger(__name__)

MAX_RECORD_BYTES = 1024 * 1024
PRODUCER_SETTINGS: Mapping[str, Any] = MappingProxyType({"max_batch_size": MAX_RECORD_BYTES, "compression_type": None})
"""Chosen by `make bench-kafka`: docs/benchmarks.md has the reasons."""
_RETRY_S = 1.0

Headers = Sequence[tuple[str, bytes]]


class RecordTooLarge(Exception):
    """The record is above the 1 MiB that the topics take: trying again does not help."""


class Undeliverable(Exception):
    """Nobody can be reached at this topic and partition, or not in the time given."""


class ProducerObserver(Protocol):
    """Hears what became of every record, on the event loop. Must not block."""

    def acknowledged(self, topic: str, size: int, seconds: float) -> None:
        """size: bytes of the value."""

    def failed(self, topic: str) -> None: ...


class RecordProducer:
    """Sends records and waits until the broker has them. Idempotent where the broker can do that.

    Memory is bounded: `send` waits while too much is under way to a partition.
    """

    def __init__(
        self,
        servers: Servers,
        *,
        client_id: str,
        linger_ms: int = 0,
        observer: ProducerObserver | None = None,
    ) -> None:
        self._servers = kafka_servers(servers)
        self._client_id = client_id
        self._linger_ms = linger_ms
        self._observer = observer
        self._producer: AIOKafkaProducer | None = None
        self.failures = 0
        """Records, or attempts to send one, that Kafka did not take."""

    async def __aenter__(self) -> Self:
        """Raises BusUnavailable where no broker answers, BusRefused where none lets us in."""
        with bus_faults("connecting", self._servers):
            try:
                self._producer = await self._start(idempotent=True)
            except KafkaConnectionError as error:
                raise await not_let_in(self._servers) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._producer:
            await self._producer.stop()

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> RecordMetadata:
        """Send one record; returns where it stands. Raises RecordTooLarge, BusUnavailable.

        timestamp_ms: when the event happened, in Unix milliseconds; now, where nothing is said.
        """
        if self._producer is None:
            raise RuntimeError("the producer is used as a context manager: it is not started")
        with self._observed(topic, value), bus_faults(f"writing to {topic}", self._servers):
            try:
                sent = await self._producer.send(
                    topic,
                    value=value,
                    key=key,
                    headers=list(headers),
                    partition=partition,
                    timestamp_ms=timestamp_ms,
                )
                return await sent
            except MessageSizeTooLargeError as error:
                raise RecordTooLarge(f"the record for {topic} is larger than {MAX_RECORD_BYTES} bytes") from error

    async def send_within(
        self,
        within_s: float,
        topic: str,
        *,
        value: bytes,
        headers: Headers,
        partition: int | None,
        key: bytes | None = None,
    ) -> None:
        """Send one record to a topic that somebody else named. Raises Undeliverable."""
        try:
            async with asyncio.timeout(within_s):
                if partition is not None and partition >= (known := await self.partitions(topic)):
                    raise Undeliverable(f"{topic} has {known} partitions, there is none of number {partition}")
                await self.send(topic, key=key, value=value, headers=headers, partition=partition)
        except (BusUnavailable, RecordTooLarge, TimeoutError) as error:
            if self._observer and isinstance(error, TimeoutError):
                self._observer.failed(topic)
            raise Undeliverable(f"{topic}: {error!r}") from error

    async def send_until_acknowledged(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> RecordMetadata:
        """Send one record, again and again while Kafka is not there. Raises RecordTooLarge, BusRefused."""
        while True:
            try:
                return await self.send(
                    topic, key=key, value=value, headers=headers, partition=partition, timestamp_ms=timestamp_ms
                )
            except BusRefused:
                raise
            except BusUnavailable as error:
                log.warning("send_failed", topic=topic, error=str(error), retry_in_s=_RETRY_S)
                await asyncio.sleep(_RETRY_S)

    async def partitions(self, topic: str) -> int:
        """The number of partitions of a topic. Raises BusUnavailable where the topic is unknown."""
        if self._producer is None:
            raise RuntimeError("the producer is used as a context manager: it is not started")
        with bus_faults(f"looking for the topic {topic}", self._servers):
            return len(await self._producer.partitions_for(topic))

    @contextmanager
    def _observed(self, topic: str, value: bytes | None) -> Iterator[None]:
        """Tell what became of a record that is sent inside. Whoever stops waiting for it knows why, and tells that."""
        began = time.perf_counter()
        try:
            yield
        except (BusUnavailable, RecordTooLarge):
            self.failures += 1
            if self._observer:
                self._observer.failed(topic)
            raise
        if self._observer:
            self._observer.acknowledged(topic, len(value or b""), time.perf_counter() - began)

    async def _start(self, *, idempotent: bool) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            client_id=self._client_id,
            acks="all",
            enable_idempotence=idempotent,
            linger_ms=self._linger_ms,
            max_request_size=MAX_RECORD_BYTES,
            **PRODUCER_SETTINGS,
            **self._servers.options(),
        )
        try:
            with _quiet("aiokafka.producer.sender"):
                await producer.start()
        except KafkaError as error:
            await producer.stop()
            # The embedded broker hands out no producer ids. A retry may then write a record twice, which is harmless:
            # of two records about one id from one event, either is as good.
            if not idempotent or isinstance(error, (KafkaConnectionError, *NO_RIGHT)):
                raise
            log.info("idempotent_producer_unavailable", error=repr(error))
            return await self._start(idempotent=False)
        return producer


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Keep a library from logging what is dealt with here."""
    level = logging.getLogger(logger).level
    logging.getLogger(logger).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logging.getLogger(logger).setLevel(level)
