"""The promises, as they are seen from outside after a fault has ended."""

import asyncio
import time

from services.cli.settings import CliSettings
from services.cli.verification import verify_all
from shared.bus.scan import scan
from shared.client import AfterimageClient
from shared.events.receipts import decode_receipt
from shared.events.search_replies import ErrorCode
from shared.events.topics import Topics
from shared.replication.verification import Verdict
from tests.faults.features import Features
from tests.faults.figures import Figures, PromiseBroken
from tests.faults.site import Site
from tests.harness.observation import caught_up
from tests.harness.service import Service

HEALED_WITHIN_S = 5.0
_RECEIPTS_WITHIN_S = 10.0
_SEARCHES_AT_ONCE = 16
"""So few that no searcher says that it is overloaded."""


async def judge(site: Site, *, healed_at: float) -> float:
    """Raise PromiseBroken where one is, `healed_at` (monotonic) being when the last fault ended.

    Returns the seconds that it took from then until all copies were live, at the end, and equal.
    """
    try:
        await caught_up(site.service)
    except TimeoutError:
        raise PromiseBroken("the copies did not become equal") from None
    healing_s = time.monotonic() - healed_at
    if healing_s > HEALED_WITHIN_S * site.patience:
        raise PromiseBroken(f"the copies were equal only after {healing_s:.1f} s", Figures(longest_healing_s=healing_s))
    if (found := await verdicts(site.service)) != {Verdict.SAME}:
        raise PromiseBroken(f"Kafka alone says of the copies: {found}")
    await judge_receipts(site)
    async with site.client() as client:
        await judge_searches(client, site.features)
    return healing_s


async def judge_receipts(site: Site) -> None:
    """Each operation that Kafka acknowledged has its receipt, or gets it soon."""
    ends_at = time.monotonic() + _RECEIPTS_WITHIN_S * site.patience
    while missing := await unreported(site.service, site.features):
        if time.monotonic() > ends_at:
            raise PromiseBroken(f"no receipt tells of (shard, offset) {sorted(missing)}", Figures(lost=len(missing)))
        await asyncio.sleep(0.2)


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


async def judge_searches(client: AfterimageClient, features: Features) -> None:
    """By its own id each image is found first, as its last upload event made it; what was deleted is not known."""
    expected: dict[str, object] = {image_id: (image_id, upload) for image_id, upload in features.live.items()}
    expected |= dict.fromkeys(features.deleted, ErrorCode.UNKNOWN_ID)
    found: dict[str, object] = {}
    returned: set[str] = set()
    places = asyncio.Semaphore(_SEARCHES_AT_ONCE)

    async def look(image_id: str) -> None:
        async with places:
            reply = await client.search(id=image_id, top_k=10)
        found[image_id] = reply.error.code if reply.error else (reply.hits[0].id, reply.hits[0].attributes["upload"])
        returned.update(hit.id for hit in reply.hits)

    async with asyncio.TaskGroup() as searches:
        for image_id in expected:
            searches.create_task(look(image_id))
    wrong = {image_id: (found[image_id], right) for image_id, right in expected.items() if found[image_id] != right}
    lost, deleted = wrong.keys() & features.live.keys(), returned - features.live.keys()
    if wrong or deleted:
        raise PromiseBroken(
            f"found, where something else is right: {wrong}; deleted, and returned: {deleted}",
            Figures(lost=len(lost), deleted_returned=len(deleted)),
        )
