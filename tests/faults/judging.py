"""The promises, as they are seen from outside after a fault has ended."""

import asyncio
import time

from services.cli.settings import CliSettings
from services.cli.verification import verify_all
from shared.bus.scan import scan
from shared.client import AfterimageClient
from shared.events.receipts import decode_receipt
from shared.events.search import ErrorCode
from shared.events.topics import Topics
from shared.replication.verification import Verdict
from tests.faults.features import Features
from tests.faults.site import Site
from tests.harness.observation import settled
from tests.harness.service import Service

HEALED_WITHIN_S = 5.0
_RECEIPTS_WITHIN_S = 10.0
_SEARCHES_AT_ONCE = 16
"""So few that no searcher says that it is overloaded."""


async def judge(site: Site, *, healed_at: float) -> float:
    """Assert that every promise holds, `healed_at` (monotonic) being when the last fault ended.

    Returns the seconds that it took from then until all copies were live, at the end, and equal.
    """
    healing_s = await judge_copies(site, healed_at=healed_at)
    async with site.client() as client:
        await assert_found(client, site.features)
    return healing_s


async def judge_copies(site: Site, *, healed_at: float) -> float:
    """What `judge` does, without asking the searchers for anything."""
    await settled(site.service, images=len(site.features.live))
    healing_s = time.monotonic() - healed_at
    assert healing_s <= HEALED_WITHIN_S, f"the copies were equal only after {healing_s:.1f} s"
    assert await verdicts(site.service) == {Verdict.SAME}
    async with asyncio.timeout(_RECEIPTS_WITHIN_S):
        while await unreported(site.service, site.features):  # noqa: ASYNC110 - another process sends them
            await asyncio.sleep(0.2)
    return healing_s


async def verdicts(service: Service) -> set[Verdict]:
    """What Kafka alone says of the copies."""
    found: set[Verdict] = set()
    async for shard in verify_all(CliSettings.model_validate(service.environment)):
        assert len(shard) == len(service.searchers), shard
        found |= {copy.verdict for copy in shard}
    return found


async def unreported(service: Service, features: Features) -> set[tuple[int, int]]:
    """(shard, position) of what was acknowledged, and no receipt says that it took effect."""
    topic = Topics(service.namespace).indexed
    receipts = [
        decode_receipt(record.value or b"")
        for partition in range(service.partitions)
        async for step in scan(service.bootstrap_servers, topic, partition)
        for record in step.records
    ]
    reported = {(receipt.shard, receipt.position) for receipt in receipts}
    return {(shard, offset) for shard, offsets in features.acknowledged.items() for offset in offsets} - reported


async def assert_found(client: AfterimageClient, features: Features) -> None:
    """By its own id each image is found first, as its last upload event made it; what was deleted is not known."""
    expected: dict[str, int | ErrorCode] = {**features.live, **dict.fromkeys(features.deleted, ErrorCode.UNKNOWN_ID)}
    found: dict[str, int | ErrorCode] = {}
    places = asyncio.Semaphore(_SEARCHES_AT_ONCE)

    async def look(image_id: str) -> None:
        async with places:
            reply = await client.search(id=image_id, top_k=10)
        found[image_id] = reply.error.code if reply.error else int(reply.hits[0].attributes["upload"])
        assert not {hit.id for hit in reply.hits} - features.live.keys()

    async with asyncio.TaskGroup() as searches:
        for image_id in expected:
            searches.create_task(look(image_id))
    wrong = {image_id: (found[image_id], right) for image_id, right in expected.items() if found[image_id] != right}
    assert not wrong, f"found instead of expected: {wrong}"
