"""What the indexer's probes go by: whether its heads are confirmed, and whether anything still happens."""

import asyncio

from services.indexer.handler import CONFIRM_WITHIN_S
from tests.fakes.operations import upsert
from tests.unit.indexer.bench import SHARD, Bench


async def test_a_head_is_confirmed_by_a_claim_by_a_heartbeat_and_by_a_batch() -> None:
    bench = Bench()
    for confirm in (bench.handler.heartbeat, bench.handler.heartbeat, bench.deliver):
        bench.write(upsert(bench.topic.end, "a"))
        bench.now_s += 2 * CONFIRM_WITHIN_S
        assert bench.handler.unconfirmed == ({SHARD: 2 * CONFIRM_WITHIN_S} if bench.made else {})
        await confirm()
        assert bench.handler.unconfirmed == {}


async def test_a_head_that_nobody_can_be_asked_for_is_confirmed_no_longer_and_is_again_when_redis_is_back() -> None:
    bench = Bench()
    await bench.handler.heartbeat()
    bench.log.down = True
    bench.now_s += CONFIRM_WITHIN_S + 1
    await bench.handler.heartbeat()
    assert bench.handler.unclaimed == []
    assert bench.handler.unconfirmed == {SHARD: CONFIRM_WITHIN_S + 1}
    bench.log.down = False
    await bench.handler.heartbeat()
    assert bench.handler.unconfirmed == {}


async def test_a_shard_that_went_away_is_not_waited_for() -> None:
    bench = Bench()
    await bench.handler.heartbeat()
    bench.now_s += CONFIRM_WITHIN_S + 1
    bench.consumer.assign([])
    bench.handler.revoked({SHARD})
    assert bench.handler.unconfirmed == {}


async def test_heartbeats_batches_and_failed_attempts_are_progress() -> None:
    bench = Bench()
    seen = [bench.handler.progress()]

    async def moves() -> bool:
        seen.append(bench.handler.progress())
        return seen[-1] != seen[-2]

    await bench.handler.heartbeat()
    assert await moves()
    bench.write(upsert(0, "a"))
    await bench.deliver()
    assert await moves()
    assert not await moves()
    bench.log.down = True
    bench.write(upsert(1, "a"))
    stuck = asyncio.create_task(bench.deliver())
    await asyncio.sleep(0.1)
    assert await moves()
    await asyncio.sleep(10)
    assert await moves()
    stuck.cancel()
    await asyncio.wait([stuck])
