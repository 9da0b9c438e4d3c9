"""The client on a real broker, with this test in the place of the workers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.bus.consumer import Record
from shared.bus.inbox import Inbox
from shared.bus.partitions import partition_of
from shared.bus.producer import RecordProducer
from shared.bus.replies import reply_address
from shared.client import AfterimageClient, NoAnswer, Sent, UploadRejected
from shared.events.faults import PoisonInput, RejectReason
from shared.events.receipts import Effect, Receipt, encode_receipt
from shared.events.rejects import read_reject, reject_headers
from shared.events.search_replies import SearchReply, encode_reply
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
        await self.producer.send(self.topics.indexed, key=None, value=encode_receipt(receipt))
        return receipt

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
        address = reply_address(request.headers, service.topics)
        assert address is not None
        reply = SearchReply(searcher=str(request.offset), positions={request.partition: request.offset})
        await service.producer.send(
            address.topic,
            key=None,
            value=encode_reply(reply, "application/msgpack"),
            headers=[("content-type", b"application/msgpack"), *address.headers],
            partition=address.partition,
        )
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
