"""What each replica and the writer last said of themselves, kept in Redis, so that copies can be compared."""

import msgspec
from redis.asyncio import Redis

from shared.index.statistics import ShardStatistics
from shared.replication.connection import answered
from shared.replication.keys import ShardKeys
from shared.replication.state import ReplicaState

FORGOTTEN_AFTER_MS = 60_000


class ReplicaReport(ShardStatistics, frozen=True, kw_only=True):
    """One copy of one shard. checksum: of its live rows, in hex. at: when the directory got it, by Redis's clock."""

    replica: str
    state: ReplicaState
    position: int
    checksum: str
    at: int = 0


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has of a shard. position: of its newest manifest; None where there is none.

    bytes: of all that is there; None where that is not known. problem: why the newest manifest is not newer.
    compacted: the last request to compact that was fulfilled.
    """

    position: int | None = None
    bytes: int | None = None
    problem: str | None = None
    compacted: str | None = None


class WriterReport(ShardStatistics, frozen=True, kw_only=True):
    """The writer's own copy of one shard. at: Unix milliseconds of the report.

    scheme: of the codes; None before the first. stored: None where there is no store.
    """

    writer: str
    position: int
    scheme: str | None
    at: int
    stored: Stored | None = None


class ReplicaDirectory:
    """Raises LogUnavailable where Redis cannot be reached."""

    def __init__(self, redis: Redis, *, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace

    async def report(self, shard: int, report: ReplicaReport) -> None:
        key = ShardKeys(self._namespace, shard).replicas
        async with answered(f"reporting on shard {shard}"):
            dated = msgspec.structs.replace(report, at=await self._now_ms())
            await self._redis.hset(key, report.replica, msgspec.json.encode(dated))

    async def reports(self, shard: int) -> list[ReplicaReport]:
        """The reports of the last minute, by replica name; older ones are removed."""
        key = ShardKeys(self._namespace, shard).replicas
        async with answered(f"reading the reports on shard {shard}"):
            fields = await self._redis.hgetall(key)
            now_ms = await self._now_ms()
            found = [msgspec.json.decode(value, type=ReplicaReport) for value in fields.values()]
            if gone := [report.replica for report in found if now_ms - report.at > FORGOTTEN_AFTER_MS]:
                await self._redis.hdel(key, *gone)
        return sorted((report for report in found if report.replica not in gone), key=lambda report: report.replica)

    async def report_writer(self, shard: int, report: WriterReport) -> None:
        key = ShardKeys(self._namespace, shard).writer
        async with answered(f"reporting on shard {shard}"):
            await self._redis.set(key, msgspec.json.encode(report), px=FORGOTTEN_AFTER_MS)

    async def writer(self, shard: int) -> WriterReport | None:
        """What the writer said within the last minute; None where none did."""
        async with answered(f"asking for the writer of shard {shard}"):
            found = await self._redis.get(ShardKeys(self._namespace, shard).writer)
        return None if found is None else msgspec.json.decode(found, type=WriterReport)

    async def _now_ms(self) -> int:
        """Redis's own clock, the same for all: a copy whose machine has another time must not be passed over."""
        seconds, microseconds = await self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000
