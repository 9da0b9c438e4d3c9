"""What each replica last said of itself, kept in Redis, so that copies can be compared from outside."""

import msgspec
from redis.asyncio import Redis

from shared.replication.connection import answered
from shared.replication.keys import ShardKeys
from shared.replication.state import ReplicaState

FORGOTTEN_AFTER_MS = 60_000


class ReplicaReport(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of one shard. checksum: of its live rows, in hex. at: Unix milliseconds of the report."""

    replica: str
    state: ReplicaState
    position: int
    rows: int
    checksum: str
    at: int


class ReplicaDirectory:
    """Raises LogUnavailable where Redis cannot be reached."""

    def __init__(self, redis: Redis, *, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace

    async def report(self, shard: int, report: ReplicaReport) -> None:
        key = ShardKeys(self._namespace, shard).replicas
        async with answered(f"reporting on shard {shard}"):
            await self._redis.hset(key, report.replica, msgspec.json.encode(report))

    async def reports(self, shard: int, *, now_ms: int) -> list[ReplicaReport]:
        """The reports of the last minute, by replica name; older ones are removed."""
        key = ShardKeys(self._namespace, shard).replicas
        async with answered(f"reading the reports on shard {shard}"):
            fields = await self._redis.hgetall(key)
            found = [msgspec.json.decode(value, type=ReplicaReport) for value in fields.values()]
            if gone := [report.replica for report in found if now_ms - report.at > FORGOTTEN_AFTER_MS]:
                await self._redis.hdel(key, *gone)
        return sorted((report for report in found if report.replica not in gone), key=lambda report: report.replica)
