"""The client on a real broker, with this test in the place of the workers."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.bus.consumer import Record
from shared.bus.inbox import Inbox
from shared.bus.partitions import partition_of
from shared.bus.producer import RecordProducer
from shared.bus.replies import reply_address
from shared.client import AfterimageClient, NoAnswer, Sent, SyncAfterimageClient, UploadRejected
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import SourcePosition
from shared.events.receipts import Effect, Receipt, encode_receipt
from shared.events.rejects import read_reject, reject_headers
from shared.events.search_replies import ErrorCode, SearchFailure, SearchReply, encode_reply
from shared.events.search_requests import decode_request
from shared.events.topics import Topics
from tests.fakes.kafka_topics import create_topic
from tests.harness.kafka import Broker

PARTITIONS = 2
PATIENCE_S = 20.0


class Service:
    """The topics, what was written to those that workers read, and a producer to answer with."""

    def __init__(self, topics: Topics, producer: RecordProducer) -> None:
        self.topics = topics
        self.producer = producer
        self.inbox: asyncio.Queue[Record] = asyncio.Queue()

    async def next(self) -> Record:
        async with asyncio.timeout(PATIENCE_S):
            return await self.inbox.get()

    async def acknowledge(self, sent: Sent) -> Receipt:
        receipt = Receipt(
            id=sent.id,
            effect=Effect.INDEXED,
            shard=1,
            position=9,
            source_partition=sent.source.partition,
            source_offset=sent.source.offset,
            uploaded_at=1,
            indexed_at=2,
        )
        await self.producer.send(self.topics.indexed, key=sent.id.encode(), value=encode_receipt(receipt))
        return receipt

    async def answer(self, request: Record, reply: SearchReply) -> None:
        address = reply_address(request.headers, self.topics)
        assert address is not None
        await self.producer.send(
            address.topic,
            key=address.key,
            value=encode_reply(reply, "application/msgpack"),
            headers=[("content-type", b"application/msgpack"), *address.headers],
            partition=address.partition,
        )

    async def reject(self, sent: Sent, record: Record) -> None:
        fault = PoisonInput(RejectReason.NOT_FOUND, "it points at nothing")
        headers = reject_headers(
            fault, stage="extract", source=sent.source, uploaded_at=record.timestamp, original=record.headers
        )
        await self.producer.send(self.topics.rejected, key=record.key, value=record.value, headers=headers)


@pytest.fixture
async def service(kafka: Broker, unique_namespace: str) -> AsyncIterator[Service]:
    topics = Topics(unique_namespace)
    for name in (topics.uploaded, topics.rejected, topics.indexed, topics.requests, topics.replies):
        await create_topic(kafka.bootstrap_servers, name, partitions=PARTITIONS)
    both = range(PARTITIONS)
    heard = dict.fromkeys((topics.uploaded, topics.requests, topics.rejected), both)
    async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer:
        service = Service(topics, producer)
        async with Inbox(kafka.bootstrap_servers, heard, service.inbox.put_nowait):
            yield service


@pytest.fixture
async def client(kafka: Broker, unique_namespace: str, service: Service) -> AsyncIterator[AfterimageClient]:
    async with AfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace) as client:
        yield client


async def test_an_upload_stands_on_the_partition_of_its_id_and_its_receipt_is_heard(
    client: AfterimageClient, service: Service
) -> None:
    sent = await client.upload("東京/猫", uri="s3://shop/cat")
    record = await service.next()
    assert (record.partition, record.offset) == (sent.source.partition, sent.source.offset)
    assert record.partition == partition_of("東京/猫", PARTITIONS)
    receipt = await service.acknowledge(sent)
    found = await client.wait_searchable(sent, timeout_s=PATIENCE_S)
    assert found.receipt == receipt
    assert found.after_s > 0


async def test_a_delete_is_a_record_without_a_value(client: AfterimageClient, service: Service) -> None:
    sent = await client.delete("cat")
    record = await service.next()
    assert (record.key, record.value) == (b"cat", None)
    await service.acknowledge(sent)
    await client.wait_searchable(sent, timeout_s=PATIENCE_S)


async def test_another_process_learns_what_became_of_an_upload_before_and_after_it_did(
    client: AfterimageClient, service: Service, kafka: Broker, unique_namespace: str
) -> None:
    waiting, done, rejected = [await client.upload(name, uri="s3://shop/cat") for name in ("a", "b/c", "d")]
    records = {record.key: record for record in [await service.next() for _ in range(3)]}
    receipt = await service.acknowledge(done)
    await service.reject(rejected, records[b"d"])
    await client.wait_searchable(done, timeout_s=PATIENCE_S)
    async with AfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace) as other:
        found = {name: await other.find_sent(sent.source) for name, sent in (("a", waiting), ("b/c", done))}
        assert {name: sent and sent.id for name, sent in found.items()} == {"a": "a", "b/c": "b/c"}
        applied = await other.wait_searchable(found["b/c"] or done, timeout_s=0.5)
        assert applied.receipt == receipt
        with pytest.raises(NoAnswer):
            await other.wait_searchable(found["a"] or waiting, timeout_s=0.1)
        await service.acknowledge(waiting)
        assert (await other.wait_searchable(found["a"] or waiting, timeout_s=PATIENCE_S)).receipt.id == "a"
        refused = await other.find_sent(rejected.source)
        assert refused is not None
        with pytest.raises(UploadRejected, match="it points at nothing"):
            await other.wait_searchable(refused, timeout_s=0.5)
        for nowhere in (SourcePosition(partition=0, offset=999), SourcePosition(partition=PARTITIONS, offset=0)):
            assert await other.find_sent(nowhere) is None


async def test_a_place_without_an_id_is_nobodys_upload(client: AfterimageClient, service: Service) -> None:
    stands = await service.producer.send(service.topics.uploaded, key=None, value=b"{}")
    assert await client.find_sent(SourcePosition(partition=stands.partition, offset=stands.offset)) is None


async def test_an_upload_that_is_rejected_says_why(client: AfterimageClient, service: Service) -> None:
    sent = await client.upload("cat", uri="s3://shop/nothing")
    await service.reject(sent, await service.next())
    with pytest.raises(UploadRejected, match="it points at nothing") as rejected:
        await client.wait_searchable(sent, timeout_s=PATIENCE_S)
    assert rejected.value.reject.reason is RejectReason.NOT_FOUND


async def test_a_redriven_event_keeps_its_place_and_is_waited_for_anew(
    kafka: Broker, client: AfterimageClient, service: Service
) -> None:
    """Another client hears of the reject as well, and redrives it: the reject is not taken for the new outcome."""
    async with AfterimageClient(kafka.bootstrap_servers, namespace=service.topics.namespace) as other:
        sent = await client.upload("cat", uri="s3://shop/nothing")
        await service.reject(sent, await service.next())
        with pytest.raises(UploadRejected):
            await client.wait_searchable(sent, timeout_s=PATIENCE_S)
        kept = await service.next()
        reject = read_reject(kept.headers)
        assert reject is not None
        async with asyncio.timeout(PATIENCE_S):
            while sent.source not in other._outcomes._recent:  # noqa: ASYNC110 - hearing it is no event
                await asyncio.sleep(0.02)
        again = await other.redrive(kept, reject)
        record = await service.next()
        assert again.source == sent.source
        assert (record.partition, record.timestamp, record.value) == (
            sent.source.partition,
            reject.uploaded_at,
            kept.value,
        )
        assert record.offset > sent.source.offset
        receipt = await service.acknowledge(again)
        assert (await other.wait_searchable(again, timeout_s=PATIENCE_S)).receipt == receipt


async def test_a_search_hears_its_own_answer(client: AfterimageClient, service: Service) -> None:
    searches = [asyncio.create_task(client.search(id=f"id-{n}", timeout_s=PATIENCE_S)) for n in range(5)]
    for request in [await service.next() for _ in searches]:
        positions = {request.partition: request.offset}
        await service.answer(request, SearchReply(searcher=str(request.offset), positions=positions))
    replies = await asyncio.gather(*searches)
    assert len({tuple(reply.positions.items()) for reply in replies}) == len(searches)


async def test_without_an_answer_a_search_and_a_wait_say_what_was_waited_for(
    client: AfterimageClient, service: Service
) -> None:
    with pytest.raises(NoAnswer, match="is a searcher running"):
        await client.search(id="cat", timeout_s=0.2)
    sent = await client.upload("cat", uri="s3://shop/cat")
    with pytest.raises(NoAnswer, match="neither indexed nor rejected"):
        await client.wait_searchable(sent, timeout_s=0.1)
    await service.acknowledge(sent)
    await client.wait_searchable(sent, timeout_s=PATIENCE_S)  # to have given up once is no reason not to hear


def failure(code: ErrorCode) -> SearchReply:
    return SearchReply(error=SearchFailure(code=code, message="no"))


async def test_a_searcher_that_is_not_ready_is_asked_again_and_one_that_refuses_is_not(
    client: AfterimageClient, service: Service
) -> None:
    search = asyncio.create_task(client.search(id="cat", timeout_s=PATIENCE_S))
    await service.answer(await service.next(), failure(ErrorCode.NOT_READY))
    await service.answer(await service.next(), SearchReply(searcher="another"))
    assert (await search).searcher == "another"

    search = asyncio.create_task(client.search(id="cat", timeout_s=PATIENCE_S))
    await service.answer(await service.next(), failure(ErrorCode.OVERLOADED))
    error = (await search).error
    assert error is not None
    assert error.code is ErrorCode.OVERLOADED
    assert service.inbox.empty()


async def test_a_searcher_that_is_never_ready_is_asked_three_times(client: AfterimageClient, service: Service) -> None:
    search = asyncio.create_task(client.search(id="cat", timeout_s=PATIENCE_S))
    for _ in range(3):
        await service.answer(await service.next(), failure(ErrorCode.NOT_READY))
    error = (await search).error
    assert error is not None
    assert error.code is ErrorCode.NOT_READY


async def test_without_an_event_loop_each_call_returns_when_the_answer_is_there(
    kafka: Broker, unique_namespace: str, service: Service
) -> None:
    with pytest.raises(RuntimeError, match="not connected"):
        SyncAfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace).delete("cat")

    def use() -> tuple[str, list[str]]:
        with SyncAfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace) as client:
            sent = client.upload("cat", uri="s3://shop/cat")
            position = client.wait_searchable(sent, timeout_s=PATIENCE_S).receipt.position
            with ThreadPoolExecutor(2) as threads:  # two at once, of two threads
                ids = [f"{position}-{number}" for number in range(2)]
                replies = threads.map(lambda image_id: client.search(id=image_id, timeout_s=PATIENCE_S), ids)
                found = [reply.searcher for reply in replies]
            with pytest.raises(NoAnswer):
                client.search(id="nobody answers", timeout_s=0.1)
            return sent.id, found

    using = asyncio.create_task(asyncio.to_thread(use))
    record = await service.next()
    source = SourcePosition(offset=record.offset, partition=record.partition)
    await service.acknowledge(Sent("cat", source, 0.0, asyncio.get_running_loop().create_future()))
    requests = [await service.next() for _ in range(2)]
    for request in requests:
        asked = decode_request(request.value, "application/msgpack")
        await service.answer(request, SearchReply(searcher=f"found {asked.id}"))
    assert await using == ("cat", ["found 9-0", "found 9-1"])


async def test_the_client_without_an_event_loop_has_all_names_of_the_other() -> None:
    def names(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert names(SyncAfterimageClient) == names(AfterimageClient)
