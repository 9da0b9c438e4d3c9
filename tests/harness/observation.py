"""Looking at a running service from outside, as an operator does."""

import asyncio

from services.cli.commands.status import ShardStatus, read_shards
from shared.bus.cluster import Cluster
from shared.events.topics import Topics
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.redis_log import RedisLog
from tests.harness.service import Service

SETTLE_S = 90.0


async def settled(service: Service, *, images: int) -> list[ShardStatus]:
    """The shards, once all replicas are live at the end of them. Fails where they do not hold `images`."""
    found = await caught_up(service)
    rows = [replica.rows for shard in found for replica in shard.replicas]
    assert sum(rows) == images * len(service.searchers), found
    assert all(shard.agree for shard in found), found
    return found


async def caught_up(service: Service) -> list[ShardStatus]:
    """The shards, once all replicas say that they are live at the end of them, as they do every second."""
    async with (
        asyncio.timeout(SETTLE_S),
        Cluster(service.bootstrap_servers) as cluster,
        connect(service.redis_url) as redis,
    ):
        log = RedisLog(redis, namespace=service.namespace)
        directory = ReplicaDirectory(redis, namespace=service.namespace)
        while True:
            ends = await cluster.end_offsets(Topics(service.namespace).features)
            found = await read_shards(log, directory, ends)
            if _at_the_end(found, copies=len(service.searchers)):
                return found
            await asyncio.sleep(0.05)


def _at_the_end(shards: list[ShardStatus], *, copies: int) -> bool:
    return all(
        shard.head == shard.end
        and len(shard.replicas) == copies
        and all(replica.position == shard.end and replica.state == "live" for replica in shard.replicas)
        for shard in shards
    )
