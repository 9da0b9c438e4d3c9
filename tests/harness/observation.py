"""Looking at a running service from outside, as an operator does."""

import asyncio

from services.cli.commands.status import ServiceStatus, read_status
from services.cli.settings import CliSettings
from tests.harness.service import Service

SETTLE_S = 90.0


async def status_of(service: Service) -> ServiceStatus:
    return await read_status(CliSettings.model_validate(service.environment))


async def settled(service: Service, *, images: int) -> ServiceStatus:
    """The status, once all replicas are live at the end of their shards. Fails where they do not hold `images`."""
    async with asyncio.timeout(SETTLE_S):
        while True:
            found = await status_of(service)
            if _at_the_end(found, copies=len(service.searchers)):
                break
            await asyncio.sleep(0.3)
    rows = [replica.rows for shard in found.shards for replica in shard.replicas]
    assert sum(rows) == images * len(service.searchers), found
    assert all(shard.agree for shard in found.shards), found
    return found


def _at_the_end(status: ServiceStatus, *, copies: int) -> bool:
    return all(
        shard.head == shard.end
        and len(shard.replicas) == copies
        and all(replica.position == shard.end and replica.state == "live" for replica in shard.replicas)
        for shard in status.shards
    )
