"""The live stream of a real gateway on a real broker: what the bus says, and nothing else, reaches who listens."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.bus.cluster import Cluster
from shared.bus.producer import RecordProducer
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import SourcePosition
from shared.events.receipts import Effect, Receipt, encode_receipt
from shared.events.rejects import reject_headers
from shared.events.topics import Topics
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.workers import WorkerProcess


@pytest.fixture
async def topics(kafka: Broker, unique_namespace: str) -> Topics:
    topics = Topics(unique_namespace)
    async with Cluster(kafka.bootstrap_servers) as cluster:
        await cluster.create_topics(topics.specs(2))
    return topics


@pytest.fixture
def gateway(kafka: Broker, redis_server: RedisServer, topics: Topics, tmp_path: Path) -> Iterator[WorkerProcess]:
    servers = {"bootstrap_servers": kafka.bootstrap_servers, "redis_url": redis_server.url}
    env = {"AFTERIMAGE_NAMESPACE": topics.namespace}
    with WorkerProcess("gateway", **servers, folder=tmp_path, env=env) as running:
        yield running


@pytest.fixture
async def producer(kafka: Broker) -> AsyncIterator[RecordProducer]:
    async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer:
        yield producer


class Listener:
    """Reads the stream of one connection."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def next(self, kind: str) -> Any:
        """The data of the next event of a kind; None where the stream has come to its end."""
        event = ""
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "id":
                self.last_id = value
            elif name == "data" and event == kind:
                data = json.loads(value)
            elif line == "" and event == kind:
                return data
        return None

    async def until_heard(self) -> None:
        """From now on, what is written arrives."""
        while not (await self.next("vitals"))["hearing"]:
            continue

    async def arrivals(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < count:
            batch = await self.next("arrivals")
            assert batch["missed"] == 0
            found += batch["arrivals"]
        return found


@asynccontextmanager
async def listening(url: str, last_id: str = "") -> AsyncIterator[Listener]:
    headers = {"last-event-id": last_id} if last_id else {}
    async with httpx.AsyncClient(timeout=60) as client, client.stream("GET", f"{url}/live", headers=headers) as answer:
        assert answer.status_code == 200
        yield Listener(answer)


def receipt(image_id: str, effect: Effect, *, uploaded_at: int = 1_000, indexed_at: int = 1_250) -> bytes:
    return encode_receipt(
        Receipt(
            id=image_id,
            effect=effect,
            shard=1,
            position=7,
            source_partition=0,
            source_offset=3,
            uploaded_at=uploaded_at,
            indexed_at=indexed_at,
        )
    )


async def test_what_became_of_uploads_is_heard_and_a_broken_connection_goes_on_where_it_was(
    topics: Topics, producer: RecordProducer, gateway: WorkerProcess
) -> None:
    async def tell(value: bytes) -> None:
        await producer.send(topics.indexed, key=b"k", value=value, partition=0)

    async with listening(gateway.url) as listener:
        assert await listener.next("arrivals") == {"missed": 0, "arrivals": []}
        await listener.until_heard()
        await tell(b"no receipt")
        await tell(receipt("old", Effect.SUPERSEDED))
        await tell(receipt("a", Effect.INDEXED))
        await tell(receipt("b", Effect.DELETED, uploaded_at=2_000))
        first, second = await listener.arrivals(2)
        bookmark = listener.last_id
    assert (first["id"], first["kind"], first["after_s"]) == ("a", "indexed", 0.25)
    assert (first["shard"], first["position"]) == (1, 7)
    assert (second["id"], second["kind"], second["after_s"]) == ("b", "deleted", None)
    fault = PoisonInput(RejectReason.DECODE_FAILED, "truncated")
    source = SourcePosition(offset=4, partition=0)
    headers = reject_headers(fault, stage="decode", source=source, uploaded_at=1, original=[])
    await producer.send(topics.rejected, key=b"c", value=b"", headers=headers)
    async with listening(gateway.url, bookmark) as listener:
        (third,) = await listener.arrivals(1)
    assert (third["id"], third["kind"]) == ("c", "rejected")
    assert (third["reason"], third["detail"]) == ("decode_failed", "truncated")


async def test_the_vitals_say_what_waits_and_where_the_shards_end(
    topics: Topics, producer: RecordProducer, gateway: WorkerProcess
) -> None:
    for topic, count in ((topics.uploaded, 3), (topics.features, 2)):
        for _ in range(count):
            await producer.send(topic, key=b"k", value=b"read by nobody", partition=1)
    async with listening(gateway.url) as listener:
        while (vitals := await listener.next("vitals"))["progress"] is None:
            assert vitals["problem"] == "asking"
    progress = vitals["progress"]
    assert (progress["to_extract"], progress["to_index"]) == (3, 2)
    shards = [(shard["shard"], shard["end"], shard["replicas"]) for shard in progress["shards"]]
    assert shards == [(0, -1, []), (1, 1, [])]


async def test_a_gateway_that_is_stopped_ends_the_stream_in_good_order(gateway: WorkerProcess) -> None:
    async with listening(gateway.url) as listener:
        assert await listener.next("vitals")
        await asyncio.to_thread(gateway.stop)
        assert await listener.next("no such event") is None  # a stream that is cut raises
