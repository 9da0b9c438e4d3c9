"""Clients as most languages have them: librdkafka, by confluent-kafka."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, Producer, TopicPartition

PATIENCE_S = 30.0
Header = tuple[str, bytes]


class Librdkafka:
    """A producer, and consumers that hear what is written from now on."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, "partitioner": "murmur2_random"})

    def send(self, topic: str, value: bytes | None, *, headers: Sequence[Header] = (), key: str | None = None) -> None:
        self._producer.produce(topic, key=key, value=value, headers=list(headers))
        left = self._producer.flush(PATIENCE_S)
        assert left == 0, f"{left} records were not acknowledged"

    @contextmanager
    def listening(self, topic: str, *partitions: int) -> Iterator["Ears"]:
        """Hear what is written to these partitions, or to all of them."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap_servers,
                "group.id": f"test-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
            }
        )
        try:
            known = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
            places = [TopicPartition(topic, number) for number in partitions or known]
            for place in places:
                place.offset = consumer.get_watermark_offsets(place, timeout=PATIENCE_S)[1]
            consumer.assign(places)
            yield Ears(consumer)
        finally:
            consumer.close()


class Ears:
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def next(self, within_s: float = PATIENCE_S) -> Message:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            message = self._consumer.poll(0.1)
            if message is not None:
                assert message.error() is None, message.error()
                return message
        raise TimeoutError(f"no record came within {within_s} s")


class ReplyingTemplate:
    """Sends and receives as Spring's ReplyingKafkaTemplate does: the headers, and what it takes for its answer."""

    def __init__(self, client: Librdkafka, reply_topic: str, *, reply_partition: int | None = None) -> None:
        self._client = client
        self._reply_topic = reply_topic
        self._reply_partition = reply_partition

    def send_and_receive(self, topic: str, value: bytes, *, headers: Sequence[Header] = ()) -> Message:
        """The reply whose correlation id is that of the request, byte for byte; others are passed over."""
        correlation_id = uuid.uuid4().bytes  # big-endian, as Java's ByteBuffer puts the two longs of a UUID
        spring: list[Header] = [
            ("kafka_replyTopic", self._reply_topic.encode()),
            ("kafka_correlationId", correlation_id),
        ]
        if self._reply_partition is not None:  # an int, as Java's ByteBuffer puts it
            spring.append(("kafka_replyPartition", self._reply_partition.to_bytes(4, "big", signed=True)))
        with self._client.listening(self._reply_topic, *self._partitions()) as replies:
            self._client.send(topic, value, headers=[*spring, *headers])
            while True:
                reply = replies.next()
                if header(reply, "kafka_correlationId") == correlation_id:
                    return reply

    def _partitions(self) -> tuple[int, ...]:
        return () if self._reply_partition is None else (self._reply_partition,)


def header(message: Message, name: str) -> bytes | None:
    """The last of that name, as Java's `lastHeader`."""
    found = [value for key, value in message.headers() or [] if key == name]
    return found[-1] if found else None
