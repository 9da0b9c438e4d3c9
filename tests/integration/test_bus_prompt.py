"""Records are handed out as soon as there are some, on a real broker."""

import asyncio
from uuid import uuid4

from aiokafka.errors import KafkaError

from shared.bus.producer import RecordProducer
from shared.bus.prompt import PromptConsumer
from tests.fakes.kafka_topics import create_topic
from tests.harness.kafka import Broker


async def test_whoever_asks_for_a_batch_waits_until_there_is_one_and_gets_all_that_came(kafka: Broker) -> None:
    topic = f"prompt-{uuid4().hex}"
    await create_topic(kafka.bootstrap_servers, topic)
    refused: list[KafkaError] = []
    consumer = PromptConsumer(
        topic, refused=refused.append, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        asked = asyncio.create_task(consumer.getmany(timeout_ms=1))
        done, _ = await asyncio.wait([asked], timeout=2.5)  # longer than it looks up
        assert not done
        async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer:
            await producer.send(topic, key=None, value=b"first")
            [[first]] = (await asyncio.wait_for(asked, 30)).values()
            await asyncio.gather(*(producer.send(topic, key=None, value=b"%d" % number) for number in range(5)))
        later: list[bytes] = []
        async with asyncio.timeout(30):
            while len(later) < 5:
                for records in (await consumer.getmany(timeout_ms=1)).values():
                    later += [record.value for record in records]
        assert (first.value, sorted(later)) == (b"first", [b"0", b"1", b"2", b"3", b"4"])
        assert refused == []
    finally:
        await consumer.stop()
