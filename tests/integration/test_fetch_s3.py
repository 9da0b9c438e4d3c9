"""References to objects, and a bucket's notifications, from a real HTTP server that speaks S3 as Amazon does."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from shared.events.faults import PoisonInput, RejectReason
from shared.events.upload_forms import DeleteImage, UploadEvent, UploadImage
from shared.events.uploads import read_upload_events
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from tests.unit.imaging.raw_web import RawSite

IMAGE = b"\xff\xd8\xff the bytes of an image"
KEYS = [
    "cat.jpg",
    "2026/07/my cat #1?.jpg",
    "a+b.jpg",
    "100%.jpg",
    "50%25.jpg",
    "a&b=c;d,e.jpg",
    "(a)~b*c!'d.jpg",
    "katze-übermut.jpg",
    "猫/🐈.jpg",
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def settings(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def s3(settings: None) -> Iterator[Any]:
    client = boto3.Session().client("s3")
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any) -> None:
    s3.create_bucket(Bucket="images")
    for key in KEYS:
        s3.put_object(Bucket="images", Key=key, Body=IMAGE)


async def fetched(uri: str) -> bytes:
    async with Fetcher(FetchPolicy()) as fetcher:
        return await fetcher.fetch(uri)


async def rejection(uri: str, policy: FetchPolicy) -> PoisonInput:
    async with Fetcher(policy) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch(uri)
    return caught.value


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("key", KEYS)
async def test_an_object_is_read_by_its_key_as_it_is(key: str) -> None:
    assert await fetched(f"s3://images/{key}") == IMAGE


@pytest.mark.usefixtures("bucket")
async def test_one_fetcher_reads_again_and_again() -> None:
    async with Fetcher(FetchPolicy()) as fetcher:
        assert {await fetcher.fetch("s3://images/cat.jpg") for _ in range(5)} == {IMAGE}


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("uri", ["s3://images/dog.jpg", "s3://no-such-bucket/cat.jpg"])
async def test_what_is_not_there_is_not_found(uri: str) -> None:
    assert (await rejection(uri, FetchPolicy())).reason is RejectReason.NOT_FOUND


@pytest.mark.usefixtures("bucket")
async def test_an_object_above_the_limit_is_refused() -> None:
    fault = await rejection("s3://images/cat.jpg", FetchPolicy(max_bytes=10))
    assert fault.reason is RejectReason.TOO_MANY_BYTES


async def test_the_body_of_an_object_above_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = b"Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: x\r\nContent-Length: 1000000000\r\n\r\n"
    async with RawSite(b"HTTP/1.1 200 OK\r\n" + headers, bytes(100_000)).serving() as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url.removesuffix("/image"))
        fault = await rejection("s3://images/cat.jpg", FetchPolicy(max_bytes=100_000))
        assert fault.reason is RejectReason.TOO_MANY_BYTES
        assert store.sent_bytes < 20_000_000  # what the kernel holds for a connection that nobody reads


@pytest.mark.parametrize(
    "uri", ["s3://images", "s3://images/", "s3:///cat.jpg", "s3://UPPER/cat.jpg", "s3://a/../b", "s3://images/a//b"]
)
async def test_what_names_no_object_is_refused(uri: str) -> None:
    assert (await rejection(uri, FetchPolicy())).reason is RejectReason.URI_NOT_ALLOWED


async def test_a_store_that_is_not_there_is_a_failed_fetch(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    fault = await rejection("s3://images/cat.jpg", FetchPolicy(attempts=2, backoff_s=0))
    assert fault.reason is RejectReason.FETCH_FAILED
    assert len(fault.detail) < 600


async def test_a_store_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RawSite(b"HTTP/1.1 200 OK\r\n", b"X-Wait: a little\r\n", pause_s=0.05).serving() as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url.removesuffix("/image"))
        fault = await rejection("s3://images/cat.jpg", FetchPolicy(attempts=1, timeout_s=0.2))
        assert fault.reason is RejectReason.FETCH_FAILED


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken"])
async def test_wrong_credentials_are_not_the_objects_fault(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The store's status for them is that of an object that may not be read; its code tells them apart."""
    body = f"<Error><Code>{code}</Code></Error>".encode()
    async with RawSite(
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    ).serving() as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url.removesuffix("/image"))
        fault = await rejection("s3://images/cat.jpg", FetchPolicy(attempts=2, backoff_s=0))
    assert fault.reason is RejectReason.FETCH_FAILED
    assert f"{code}: check the AWS_* settings" in fault.detail


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"])
async def test_the_endpoint_may_have_its_other_names(monkeypatch: pytest.MonkeyPatch, endpoint: str, name: str) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv(name, endpoint)
    assert await fetched("s3://images/cat.jpg") == IMAGE


@pytest.mark.usefixtures("bucket")
async def test_the_notifications_of_a_bucket_name_its_objects(s3: Any) -> None:
    """As Amazon delivers them: by way of a queue, with form-encoded keys."""
    with closing(boto3.Session().client("sqs")) as sqs:
        queue = sqs.create_queue(QueueName="uploads")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        wanted = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        s3.put_bucket_notification_configuration(
            Bucket="images", NotificationConfiguration={"QueueConfigurations": [wanted]}
        )
        for key in KEYS:
            s3.put_object(Bucket="images", Key=key, Body=IMAGE)
            s3.delete_object(Bucket="images", Key=key)
            s3.put_object(Bucket="images", Key=key, Body=IMAGE)
        events = received(sqs, queue, count=3 * len(KEYS))

    uploads = [event for event in events if isinstance(event, UploadImage)]
    deletes = [event for event in events if isinstance(event, DeleteImage)]
    assert sorted(event.id for event in uploads) == sorted(2 * [f"images/{key}" for key in KEYS])
    assert sorted(event.id for event in deletes) == sorted(f"images/{key}" for key in KEYS)
    assert {await fetched(event.uri or "") for event in uploads} == {IMAGE}
    assert {event.attributes["size"] for event in uploads} == {len(IMAGE)}


def received(sqs: Any, queue: str, *, count: int) -> list[UploadEvent]:
    """The events of a queue's messages, S3's test event among them, which asks for nothing."""
    events: list[UploadEvent] = []
    deadline = time.monotonic() + 20
    while len(events) < count and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            for event in read_upload_events(None, message["Body"].encode(), []):
                assert not isinstance(event, PoisonInput)
                events.append(event)
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return events
