"""A bucket is indexed with no code: its server announces every object on Kafka, and the workers do the rest.

Where that server was built: `make test-bucket` builds it first.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest

from shared.client import AfterimageClient
from shared.events.faults import PoisonInput, RejectReason
from shared.events.search_replies import ErrorCode, SearchReply
from shared.events.topics import Topics
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from tests.harness.go_programs import GoProgramMissingError
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.versitygw import VersityGateway

KEYS = [
    "cat.jpg",
    "2026/red cat.jpg",
    "a+b.jpg",
    "100%.jpg",
    "50%25.jpg",
    "a&b=c#d?e.jpg",
    "katze-übermut.jpg",
    "猫/🐈.jpg",
]
WITHIN_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.durable]


@pytest.fixture
def gateway(kafka: Broker, unique_namespace: str, tmp_path: Path) -> VersityGateway:
    """Not started: it wants its topic to be there."""
    try:
        return VersityGateway(
            tmp_path / "versitygw", kafka=kafka.bootstrap_servers, topic=Topics(unique_namespace).uploaded
        )
    except GoProgramMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def service(
    kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path, gateway: VersityGateway
) -> Iterator[Service]:
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env=gateway.environment,
    ) as running:
        yield running


@pytest.fixture
def s3(service: Service, gateway: VersityGateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the running server, which has a bucket named shop.

    Of a session of its own: boto3's default one keeps the credentials of whichever test came first.
    """
    for name, value in gateway.environment.items():
        monkeypatch.setenv(name, value)
    with gateway, closing(boto3.Session().client("s3", region_name=gateway.environment["AWS_REGION"])) as client:
        client.create_bucket(Bucket="shop")
        yield client


async def test_objects_can_be_found_until_they_are_deleted(s3: Any, service: Service) -> None:
    pictures = dict(zip(KEYS, small_pictures(len(KEYS)), strict=True))
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        for key, picture in pictures.items():
            s3.put_object(Bucket="shop", Key=key, Body=picture)
            await found(client, key)  # one by one: an event of versitygw's may have the key of the request after it
            [hit] = (await client.search(image=picture, top_k=1)).hits
            assert hit.id == f"shop/{key}"
            assert hit.score > 0.99
            assert hit.attributes["key"] == key

        alone, *together = KEYS
        s3.delete_object(Bucket="shop", Key=alone)
        s3.delete_objects(Bucket="shop", Delete={"Objects": [{"Key": key} for key in together]})
        for key in KEYS:
            await gone(client, key)
        assert (await client.search(image=pictures["cat.jpg"])).hits == []

    await the_server_is_refused_for_the_right_reason(s3)


async def the_server_is_refused_for_the_right_reason(s3: Any) -> None:
    """Here, because to start all of this again would take longer than to ask."""
    s3.put_object(Bucket="shop", Key="large.jpg", Body=bytes(100_001))
    assert await rejection("s3://shop/large.jpg", max_bytes=100_000) is RejectReason.TOO_MANY_BYTES
    assert await rejection("s3://shop/none.jpg") is RejectReason.NOT_FOUND
    assert await rejection("s3://no-such-bucket/none.jpg") is RejectReason.NOT_FOUND
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        with pytest.MonkeyPatch.context() as wrong:
            wrong.setenv(name, "wrong")
            assert await rejection("s3://shop/large.jpg") is RejectReason.FETCH_FAILED


async def rejection(uri: str, *, max_bytes: int = 1_000_000) -> RejectReason:
    async with Fetcher(FetchPolicy(max_bytes=max_bytes, attempts=2, backoff_s=0)) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch(uri)
    return caught.value.reason


async def found(client: AfterimageClient, key: str) -> None:
    await until_search_says(client, key, None)


async def gone(client: AfterimageClient, key: str) -> None:
    await until_search_says(client, key, ErrorCode.UNKNOWN_ID)


async def until_search_says(client: AfterimageClient, key: str, wanted: ErrorCode | None) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            if error_of(await client.search(id=f"shop/{key}")) is wanted:
                return
            await asyncio.sleep(0.1)


def error_of(reply: SearchReply) -> ErrorCode | None:
    return reply.error.code if reply.error else None
