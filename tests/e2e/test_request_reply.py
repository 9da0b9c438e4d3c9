"""Request and reply as other clients do it: librdkafka, kcat, and with the headers of Spring's template."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator

import msgspec
import pytest

from shared.events.topics import Topics
from tests.harness.kafka import Broker
from tests.harness.librdkafka import Librdkafka, ReplyingTemplate, header
from tests.harness.redis import RedisServer
from tests.harness.service import PHOTOS, Service

pytestmark = [pytest.mark.slow, pytest.mark.durable]

NAMESPACE = "conformance"
TOPICS = Topics(NAMESPACE)
PANDA = PHOTOS / "animal" / "panda.webp"
BY_ID = json.dumps({"id": "panda", "top_k": 1}).encode()
NO_TEXT = b"\x00\xff\x80 no utf-8 \x00"


@pytest.fixture(scope="module")
def service(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One image is indexed, which librdkafka uploaded."""
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=NAMESPACE,
        folder=tmp_path_factory.mktemp("conformance"),
    ) as running:
        client = Librdkafka(kafka.bootstrap_servers)
        with client.listening(TOPICS.indexed) as receipts:
            client.send(TOPICS.uploaded, json.dumps({"uri": PANDA.as_uri()}).encode(), key="panda")
            receipt = json.loads(receipts.next(60).value())
        assert (receipt["id"], receipt["effect"]) == ("panda", "indexed")
        yield running


@pytest.fixture
def client(service: Service) -> Librdkafka:
    return Librdkafka(service.bootstrap_servers)


def hits(value: bytes) -> list[str]:
    reply = json.loads(value)
    assert reply["error"] is None, reply["error"]
    return [hit["id"] for hit in reply["hits"]]


@pytest.mark.parametrize("partition", [0, 1])
def test_springs_template_gets_its_answer_on_the_partition_that_it_reads(client: Librdkafka, partition: int) -> None:
    template = ReplyingTemplate(client, TOPICS.replies, reply_partition=partition)
    reply = template.send_and_receive(TOPICS.requests, BY_ID)
    assert hits(reply.value()) == ["panda"]
    assert reply.partition() == partition
    assert reply.key() == header(reply, "kafka_correlationId")
    assert header(reply, "correlation_id") is None  # it did not send one


def test_springs_template_without_a_partition_hears_its_answer_wherever_it_comes(client: Librdkafka) -> None:
    replies = [ReplyingTemplate(client, TOPICS.replies).send_and_receive(TOPICS.requests, BY_ID) for _ in range(3)]
    assert [hits(reply.value()) for reply in replies] == [["panda"]] * 3


def test_an_error_is_an_answer_and_carries_the_correlation_id(client: Librdkafka) -> None:
    for value, code in ((b'{"id": "nobody"}', "unknown_id"), (b"no json", "bad_request"), (b"", "bad_request")):
        reply = ReplyingTemplate(client, TOPICS.replies, reply_partition=1).send_and_receive(TOPICS.requests, value)
        assert json.loads(reply.value())["error"]["code"] == code


def test_a_correlation_id_of_any_bytes_comes_back_as_it_was_and_is_the_key(client: Librdkafka) -> None:
    with client.listening(TOPICS.replies) as replies:
        headers = [("reply_to", TOPICS.replies.encode()), ("correlation_id", NO_TEXT)]
        for _ in range(4):
            client.send(TOPICS.requests, BY_ID, headers=headers)
        answers = [replies.next() for _ in range(4)]
    assert {(header(answer, "correlation_id"), answer.key()) for answer in answers} == {(NO_TEXT, NO_TEXT)}
    assert len({answer.partition() for answer in answers}) == 1  # the same key
    assert all(hits(answer.value()) == ["panda"] for answer in answers)


def test_a_reply_is_encoded_as_its_request(client: Librdkafka) -> None:
    content_type = ("content-type", b"application/msgpack")
    value = msgspec.msgpack.encode({"id": "panda", "top_k": 1})
    reply = ReplyingTemplate(client, TOPICS.replies).send_and_receive(TOPICS.requests, value, headers=[content_type])
    assert header(reply, "content-type") == b"application/msgpack"
    assert msgspec.msgpack.decode(reply.value())["hits"][0]["id"] == "panda"


def test_what_is_asked_for_after_its_deadline_is_not_answered(client: Librdkafka) -> None:
    def headers(correlation_id: bytes, deadline_ms: float) -> list[tuple[str, bytes]]:
        deadline = ("deadline", str(int(deadline_ms)).encode())
        return [("reply_to", TOPICS.replies.encode()), ("correlation_id", correlation_id), deadline]

    now_ms = time.time() * 1000
    with client.listening(TOPICS.replies) as replies:
        client.send(TOPICS.requests, BY_ID, headers=headers(b"late", now_ms - 60_000))
        client.send(TOPICS.requests, BY_ID, headers=headers(b"in time", now_ms + 60_000))
        assert replies.next().key() == b"in time"
        with pytest.raises(TimeoutError):
            replies.next(1)


def test_kcat_asks_and_reads_its_answer(service: Service) -> None:
    kcat = shutil.which("kcat")
    assert kcat, "kcat is not installed: run tests/tools/install.sh"
    servers = ["-b", service.bootstrap_servers]
    headers = ["-H", f"reply_to={TOPICS.replies}", "-H", "correlation_id=from kcat", "-H", "reply_partition=1"]
    subprocess.run([kcat, "-P", *servers, "-t", TOPICS.requests, *headers], input=BY_ID, check=True, timeout=60)
    read = [
        kcat,
        "-C",
        *servers,
        "-t",
        TOPICS.replies,
        "-p",
        "1",
        "-o",
        "beginning",
        "-e",
        "-q",
        "-f",
        "%k\\t%h\\t%s\\n",
    ]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = subprocess.run(read, check=True, timeout=60, capture_output=True).stdout.decode(errors="replace")
        if found := [line for line in shown.splitlines() if line.startswith("from kcat")]:
            break
    _, headers_shown, value = found[0].split("\t")
    assert "correlation_id=from kcat" in headers_shown
    assert hits(value.encode()) == ["panda"]
