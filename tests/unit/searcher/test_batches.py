"""Queries that wait are searched for together, and none of them pays for another."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.searcher.batches import SearchBatches
from shared.index.query import Query
from tests.fakes.operations import code, upsert
from tests.fakes.replicas import FakeReplicas

NEAR_CAT, NEAR_DOG = Query(code=code(1, 2, 3, 4), k=1), Query(code=code(4, 3, 2, 1), k=1)
TOO_SHORT = Query(code=b"1", k=1)


class GatedReplicas(FakeReplicas):
    """Searches when the gate is open, and remembers how many queries came together."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.batches: list[int] = []

    async def read(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.batches.append(len(args[0]))
        await self.gate.wait()
        return await super().read(function, *args, **kwargs)


@pytest.fixture
async def replicas() -> GatedReplicas:
    replicas = GatedReplicas()
    await replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4)))
    await replicas.apply(1, upsert(0, "dog", of=code(4, 3, 2, 1)))
    return replicas


async def started(batches: SearchBatches, *queries: Query) -> list["asyncio.Task[list[str]]"]:
    """The first is being searched for, the others wait."""

    async def ids(query: Query) -> list[str]:
        return [match.row.id for match in await batches.search(query)]

    tasks = [asyncio.create_task(ids(query)) for query in queries]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_one_that_comes_alone_goes_at_once_and_those_after_it_go_together(replicas: GatedReplicas) -> None:
    batches = SearchBatches(replicas)  # type: ignore[arg-type]
    [first] = await started(batches, NEAR_CAT)
    others = await started(batches, *[NEAR_DOG, NEAR_CAT] * 40)
    replicas.gate.set()
    assert await first == ["cat"]
    assert await asyncio.gather(*others) == [["dog"], ["cat"]] * 40
    assert replicas.batches == [1, 64, 16]
    assert await asyncio.gather(*await started(batches, NEAR_DOG)) == [["dog"]]


async def test_a_caller_that_gives_up_takes_no_answer_from_the_others(replicas: GatedReplicas) -> None:
    first, second, third = await started(SearchBatches(replicas), NEAR_CAT, NEAR_DOG, NEAR_CAT)  # type: ignore[arg-type]
    first.cancel()
    second.cancel()
    await asyncio.sleep(0)
    replicas.gate.set()
    assert await third == ["cat"]


async def test_a_query_that_fails_fails_alone(replicas: GatedReplicas) -> None:
    replicas.gate.set()
    tasks = await started(SearchBatches(replicas), NEAR_CAT, TOO_SHORT, NEAR_DOG)  # type: ignore[arg-type]
    cat, error, dog = await asyncio.gather(*tasks, return_exceptions=True)
    assert (cat, dog) == (["cat"], ["dog"])
    assert isinstance(error, ValueError)
