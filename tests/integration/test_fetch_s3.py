"""References to objects, read from a real HTTP server that speaks S3."""

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy

IMAGE = b"\xff\xd8\xff the bytes of an image"
KEYS = ["cat.jpg", "2026/07/my cat #1?.jpg", "100%.jpg", "katze-übermut.jpg"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="images")
    for key in KEYS:
        client.put_object(Bucket="images", Key=key, Body=IMAGE)
    client.close()


async def rejection(uri: str, policy: FetchPolicy) -> RejectReason:
    async with Fetcher(policy) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch(uri)
    return caught.value.reason


@pytest.mark.parametrize("key", KEYS)
async def test_an_object_is_read_by_its_key_as_it_is(key: str) -> None:
    async with Fetcher(FetchPolicy()) as fetcher:
        assert await fetcher.fetch(f"s3://images/{key}") == IMAGE


async def test_one_fetcher_reads_again_and_again() -> None:
    async with Fetcher(FetchPolicy()) as fetcher:
        assert {await fetcher.fetch("s3://images/cat.jpg") for _ in range(5)} == {IMAGE}


@pytest.mark.parametrize("uri", ["s3://images/dog.jpg", "s3://no-such-bucket/cat.jpg"])
async def test_what_is_not_there_is_not_found(uri: str) -> None:
    assert await rejection(uri, FetchPolicy()) is RejectReason.NOT_FOUND


async def test_an_object_above_the_limit_is_refused() -> None:
    assert await rejection("s3://images/cat.jpg", FetchPolicy(max_bytes=10)) is RejectReason.TOO_MANY_BYTES


@pytest.mark.parametrize(
    "uri", ["s3://images", "s3://images/", "s3:///cat.jpg", "s3://UPPER/cat.jpg", "s3://a/../b", "s3://images/a//b"]
)
async def test_what_names_no_object_is_refused(uri: str) -> None:
    assert await rejection(uri, FetchPolicy()) is RejectReason.URI_NOT_ALLOWED


async def test_a_store_that_does_not_answer_is_a_failed_fetch(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    policy = FetchPolicy(attempts=2, backoff_s=0)
    assert await rejection("s3://images/cat.jpg", policy) is RejectReason.FETCH_FAILED
