"""Whoever sends too much is told when to come again, and the others notice nothing."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from services.gateway.access.key_ring import KeyRing
from services.gateway.access.rate import RateLimit
from shared.access.key_file import write_keys
from shared.access.keys import ApiKey, Scope, digest_of
from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all, until


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate(clock: Clock) -> RateLimit:
    return RateLimit(per_s=2, burst=4, clock=clock)


def admitted(rate: RateLimit, caller: str) -> int:
    """How many requests are let in at once."""
    count = 0
    while not rate.wait_s(caller):
        rate.pay(caller, 1)
        count += 1
    return count


def test_after_a_burst_requests_are_let_in_at_the_rate(rate: RateLimit, clock: Clock) -> None:
    assert admitted(rate, "a") == 4
    assert rate.wait_s("a") == pytest.approx(0.5)
    clock.now += 1.5
    assert admitted(rate, "a") == 3
    clock.now += 1000
    assert admitted(rate, "a") == 4


def test_each_caller_has_a_rate_of_its_own(rate: RateLimit) -> None:
    admitted(rate, "a")
    assert admitted(rate, "b") == 4


def test_what_a_request_turns_out_to_cost_is_waited_for(rate: RateLimit, clock: Clock) -> None:
    rate.pay("a", 24)
    assert rate.wait_s("a") == pytest.approx(10.5)
    clock.now += 10.5
    assert admitted(rate, "a") == 1


def test_callers_without_end_take_no_memory_without_end(rate: RateLimit) -> None:
    for number in range(20_000):
        rate.pay(str(number), 1)
    assert len(rate._buckets) == 10_000


async def test_too_many_requests_are_told_when_to_come_again(index: FakeIndex, rate: RateLimit, clock: Clock) -> None:
    async with gateway(index, access=open_to_all(rate=rate)) as http:
        answers = [await http.get("/search?id=a") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert answers[-1].json()["code"] == "too_many_requests"
        assert (await http.get("/")).status_code == 200
        assert (await http.get("/metrics")).status_code == 200
        clock.now += 1
        assert (await http.get("/search?id=a")).status_code == 200


async def test_each_search_of_a_batch_counts(index: FakeIndex, rate: RateLimit, clock: Clock) -> None:
    async with gateway(index, access=open_to_all(rate=rate)) as http:
        assert (await http.post("/search", json={"batch": [{"id": "a"}] * 24})).status_code == 200
        late = await http.get("/search?id=a")
        assert (late.status_code, late.headers["retry-after"]) == (429, "11")


async def test_guessing_keys_has_its_rate_and_costs_those_who_have_one_nothing(
    index: FakeIndex, rate: RateLimit, tmp_path: Path
) -> None:
    made = datetime.now(UTC)
    good = ApiKey(name="a", digest=digest_of("good"), scopes=frozenset({Scope.READ}), created_at=made)
    write_keys(tmp_path / "keys.json", [good])
    async with gateway(index, access=open_to_all(ring=KeyRing(tmp_path / "keys.json"), rate=rate)) as http:
        guesses = [await http.get("/search?id=a", headers={"authorization": f"Bearer {number}"}) for number in range(5)]
        assert [guess.status_code for guess in guesses] == [401] * 4 + [429]
        answer = await http.get("/search?id=a", headers={"authorization": "Bearer good"})
        assert answer.status_code == 200


async def test_one_caller_does_not_take_all_the_places(index: FakeIndex) -> None:
    async with gateway(index, access=open_to_all(max_in_flight=8, each=2)) as http:
        index.open.clear()
        under_way = [asyncio.create_task(http.get("/search?id=a")) for _ in range(2)]
        await until(lambda: len(index.searches) == 2)
        refused: httpx.Response = await http.get("/search?id=a")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
        assert refused.headers["retry-after"] == "1"
        index.open.set()
        assert [answer.status_code for answer in await asyncio.gather(*under_way)] == [200, 200]
        assert (await http.get("/search?id=a")).status_code == 200
