"""`afterimage up --extractors 2`: the uploads are shared out between them, and all become searchable."""

import asyncio
from collections.abc import Sequence

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.cli.commands.up import stack
from services.cli.settings import CliSettings
from shared.client import AfterimageClient
from shared.events.receipts import Effect
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import PHOTOS
from tests.harness.workers import QUICK_TO_START

IMAGES = 60
SETTLE_S = 60.0


@pytest.mark.slow
async def test_two_extractors_share_the_partitions_and_all_uploads_become_searchable(
    kafka: Broker, redis_server: RedisServer, unique_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    monkeypatch.setenv("AFTERIMAGE_NAMESPACE", unique_namespace)
    for variable, value in QUICK_TO_START.items():
        monkeypatch.setenv(variable, value)
    said: list[str] = []
    settings = CliSettings()
    async with stack(
        settings, folders=[PHOTOS], sink=lambda name, line: said.append(f"{name} {line}"), extractors=2
    ) as running:
        extractors = [running.worker_urls[name] for name in ("extractor", "extractor-2")]
        partitions = await shared_out(extractors, settings.partitions)
        assert sorted(partitions) == [str(partition) for partition in range(settings.partitions)]
        async with AfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace) as client:
            sent = [
                await client.upload(f"image-{number}", data=data) for number, data in enumerate(small_pictures(IMAGES))
            ]
            outcomes = [await client.wait_searchable(each, timeout_s=60) for each in sent]
        assert all(outcome.receipt.effect is Effect.INDEXED for outcome in outcomes)
        encoded = [await metric(url, "afterimage_extractor_events_total", outcome="encoded") for url in extractors]
        assert sum(sum(one.values()) for one in encoded) == IMAGES
        assert all(sum(one.values()) > 0 for one in encoded)


async def shared_out(extractors: Sequence[str], partitions: int) -> list[str]:
    """The partitions of both, once each has its half."""
    async with asyncio.timeout(SETTLE_S):
        while True:
            owned = [list(await metric(url, "afterimage_extractor_lag_records")) for url in extractors]
            if all(len(one) == partitions // 2 for one in owned):
                return [partition for one in owned for partition in one]
            await asyncio.sleep(0.3)


async def metric(url: str, name: str, **labels: str) -> dict[str, float]:
    """The values of a metric by its partitions, or its one value where it has none."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    return {
        sample.labels.get("partition", ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    }
