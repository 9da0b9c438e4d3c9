"""The replication log on Redis: a hash, a stream and a channel for each shard, and two scripts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.events.operations import OperationBatch, decode_batch, encode_batch
from shared.replication.connection import QUICKLY_S, answered
from shared.replication.keys import ShardKeys
from shared.replication.log import Conflict, Fenced, LogHead, LogUnavailable
from shared.replication.subscription import messages
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_SCRIPTS = Path(__file__).parent


class RedisLog:
    """Implements ReplicationLog."""

    def __init__(self, redis: Redis, *, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace
        self._append = redis.register_script((_SCRIPTS / "append.lua").read_text())
        self._claim = redis.register_script((_SCRIPTS / "claim.lua").read_text())

    async def claim(self, shard: int, *, incarnation: str, epoch: str, head_if_new: int) -> int:
        keys = self._keys(shard)
        async with answered(f"claiming shard {shard}"):
            return int(await self._claim(keys=[keys.meta, keys.log], args=[incarnation, epoch, head_if_new]))

    async def append(self, shard: int, batch: OperationBatch, *, epoch: str, keep_after: int) -> None:
        keys = self._keys(shard)
        arguments: list[str | int | bytes] = [
            batch.incarnation,
            epoch,
            batch.previous,
            batch.position,
            max(keep_after, 0),
            encode_batch(batch),
        ]
        async with answered(f"appending to shard {shard}"):
            answer = await self._append(keys=[keys.meta, keys.log, keys.ops], args=arguments)
        match answer:
            case [b"FENCED"]:
                raise Fenced(f"shard {shard} was claimed by another writer, or its log was lost")
            case [b"CONFLICT", head]:
                raise Conflict(int(head))

    async def head(self, shard: int) -> LogHead | None:
        async with answered(f"reading the head of shard {shard}", within_s=QUICKLY_S):
            fields = await self._redis.hmget(self._keys(shard).meta, ["incarnation", "epoch", "head"])
        match fields:
            case [bytes() as incarnation, bytes() as epoch, bytes() as head]:
                return LogHead(incarnation=incarnation.decode(), epoch=epoch.decode(), head=int(head))
        return None

    async def read(self, shard: int, *, after: int, count: int) -> list[OperationBatch]:
        first = f"({after}-1" if after >= 0 else "-"
        async with answered(f"reading the log of shard {shard}"):
            entries: Any = await self._redis.xrange(self._keys(shard).log, min=first, max="+", count=count)
        return [batch for _, fields in entries if (batch := self._readable(shard, fields)) is not None]

    def _readable(self, shard: int, fields: dict[bytes, bytes]) -> OperationBatch | None:
        """What cannot be read, as of a release to come, is a gap to whoever reads: it is filled from Kafka."""
        try:
            return decode_batch(fields[b"b"])
        except (KeyError, msgspec.DecodeError) as error:
            log.warning("logged_batch_unreadable", shard=shard, error=str(error))
            return None

    @asynccontextmanager
    async def follow(self, shards: Sequence[int]) -> AsyncIterator[AsyncIterator[tuple[int, OperationBatch]]]:
        channels = {self._keys(shard).ops.encode(): shard for shard in shards}
        subscription = self._redis.pubsub()
        try:
            async with answered("subscribing", within_s=QUICKLY_S):
                await subscription.subscribe(*channels)
            yield _batches(subscription, channels)
        except (RedisError, OSError) as error:
            raise LogUnavailable(f"following the logs: {error}") from error
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call]  # redis-py left it untyped

    def _keys(self, shard: int) -> ShardKeys:
        return ShardKeys(self._namespace, shard)


async def _batches(subscription: Any, channels: dict[bytes, int]) -> AsyncIterator[tuple[int, OperationBatch]]:  # noqa: ANN401 - redis-py leaves the type of its pubsub open
    async for message in messages(subscription):
        try:
            yield channels[message["channel"]], decode_batch(message["data"])
        except (KeyError, msgspec.DecodeError) as error:
            log.warning("published_batch_unreadable", channel=message["channel"], error=str(error))
