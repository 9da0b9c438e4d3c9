"""Room for bytes: bounded, given in order, given back."""

import asyncio
import random

import pytest

from shared.imaging.budget import ByteBudget, NoRoom, Room

MOST = 100


@pytest.fixture
async def budget() -> ByteBudget:
    return ByteBudget(MOST)


def taken(budget: ByteBudget, size: int) -> Room:
    room = budget.room()
    room.claim(size, of=size)
    return room


async def begun(room: Room, size: int) -> asyncio.Task[None]:
    """A task that asked for room, and may wait for it."""
    task = asyncio.create_task(room.wait_for(size))
    await asyncio.sleep(0)
    return task


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_does_not_fit_beside_the_others_is_told_so_with_what_it_needs(budget: ByteBudget) -> None:
    taken(budget, 60)
    room = budget.room()
    room.claim(40, of=70)
    with pytest.raises(NoRoom) as caught:
        room.claim(41, of=70)
    assert caught.value.size == 70
    assert budget.held == MOST


async def test_room_that_is_there_is_not_claimed_twice(budget: ByteBudget) -> None:
    room = taken(budget, 60)
    room.claim(20, of=60)
    room.claim(60, of=60)
    assert budget.held == 60


async def test_room_is_had_in_the_order_of_asking(budget: ByteBudget) -> None:
    first = taken(budget, 60)
    large, small = await begun(budget.room(), 80), await begun(budget.room(), 10)
    assert not small.done()  # though it would fit
    first.keep(0)
    await settled()
    assert large.done()
    assert small.done()


async def test_who_comes_later_does_not_pass_those_who_wait_but_who_has_begun_may_go_on(budget: ByteBudget) -> None:
    taken(budget, 50)
    begun_before = taken(budget, 10)
    waiting = await begun(budget.room(), 90)
    with pytest.raises(NoRoom):
        budget.room().claim(1, of=1)
    begun_before.claim(20, of=20)
    assert budget.held == 70
    waiting.cancel()


async def test_who_waits_holds_nothing_so_that_all_get_through(budget: ByteBudget) -> None:
    """Two that held half of it each, and waited for more, would wait for ever."""
    rooms = [taken(budget, 50), taken(budget, 50)]

    async def grow(room: Room) -> None:
        await room.wait_for(90)
        room.keep(0)

    async with asyncio.timeout(1):
        await asyncio.gather(*map(grow, rooms))
    assert budget.held == 0


async def test_one_larger_than_all_of_it_passes_when_nothing_else_is_held(budget: ByteBudget) -> None:
    first = taken(budget, 1)
    giant = await begun(budget.room(), MOST + 1)
    assert not giant.done()
    first.keep(0)
    await settled()
    assert giant.done()
    assert budget.held == MOST + 1


async def test_who_gives_up_waiting_holds_up_nobody(budget: ByteBudget) -> None:
    taken(budget, 60)
    large, small = await begun(budget.room(), 80), await begun(budget.room(), 10)
    large.cancel()
    await settled()
    assert small.done()
    assert budget.held == 70


async def test_who_is_cancelled_just_as_there_is_room_gives_it_back(budget: ByteBudget) -> None:
    first = taken(budget, 60)
    waiting = await begun(budget.room(), 80)
    first.keep(0)
    waiting.cancel()
    await settled()
    assert waiting.cancelled()
    assert budget.held == 0


async def test_leaving_gives_back_what_is_left(budget: ByteBudget) -> None:
    with budget.room() as room:
        room.claim(80, of=80)
        room.keep(30)
        assert budget.held == 30
    assert budget.held == 0


@pytest.mark.parametrize("seed", range(20))
async def test_of_many_images_that_grow_or_wait_or_give_up_none_is_stuck_and_the_bound_holds(
    budget: ByteBudget, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    through = 0

    async def read(size: int) -> None:
        nonlocal through
        with budget.room() as room:
            try:
                for part in range(10, size + 1, 10):
                    room.claim(part, of=size)
                    await asyncio.sleep(0)
            except NoRoom:
                await room.wait_for(size)
            assert budget.held <= MOST
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(0)
            through += 1

    async with asyncio.timeout(5):
        tasks = [asyncio.create_task(read(10 * chance.randint(1, 10))) for _ in range(200)]
        for task in chance.sample(tasks, 50):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait(tasks)
    assert through == sum(not task.cancelled() for task in tasks)
    assert not any(task.exception() for task in tasks if not task.cancelled())
    assert budget.held == 0
