import asyncio

import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.budget import ByteBudget
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from tests.unit.imaging.clock import RecordedSleep
from tests.unit.imaging.web import BODY, LARGE, Site

LOCAL = FetchPolicy(allow_private_addresses=True, max_bytes=LARGE - 1)


async def rejection(uri: str, policy: FetchPolicy = LOCAL) -> PoisonInput:
    async with Fetcher(policy, sleep=RecordedSleep()) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch(uri)
    return caught.value


async def test_the_body_is_returned(site: Site) -> None:
    async with Fetcher(LOCAL) as fetcher:
        assert await fetcher.fetch(site.url("/image")) == BODY


async def test_connections_are_used_again(site: Site) -> None:
    async with Fetcher(LOCAL) as fetcher:
        for _ in range(5):
            await fetcher.fetch(site.url("/image"))
    assert len(site.visits) == 5
    assert len(site.connections) == 1


async def test_the_scheme_is_read_without_regard_to_case(site: Site) -> None:
    async with Fetcher(LOCAL) as fetcher:
        assert await fetcher.fetch(site.url("/image").replace("http", "HTTP")) == BODY


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_what_is_not_there_is_rejected_at_once(site: Site, status: int) -> None:
    assert (await rejection(site.url(f"/status/{status}"))).reason is RejectReason.NOT_FOUND
    assert len(site.visits) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_may_pass_is_tried_three_times(site: Site, status: int) -> None:
    assert (await rejection(site.url(f"/status/{status}"))).reason is RejectReason.FETCH_FAILED
    assert len(site.visits) == 3


async def test_an_answer_with_no_image_is_a_failed_fetch(site: Site) -> None:
    assert (await rejection(site.url("/status/204"))).reason is RejectReason.FETCH_FAILED
    assert len(site.visits) == 1


async def test_a_fault_that_passes_is_forgotten(site: Site) -> None:
    site.failures = 2
    async with Fetcher(LOCAL, sleep=RecordedSleep()) as fetcher:
        assert await fetcher.fetch(site.url("/flaky")) == BODY


async def test_the_waits_double_up_to_a_cap_and_are_spread_by_chance(site: Site) -> None:
    policy = FetchPolicy(allow_private_addresses=True, attempts=5, backoff_s=1, max_backoff_s=5)
    sleep = RecordedSleep()
    async with Fetcher(policy, sleep=sleep, jitter=lambda: 0.5) as fetcher:
        with pytest.raises(PoisonInput):
            await fetcher.fetch(site.url("/status/503"))
    assert sleep.waits == [0.5, 1, 2, 2.5]


async def test_a_connection_that_breaks_is_tried_again(site: Site) -> None:
    assert (await rejection(site.url("/cut"))).reason is RejectReason.FETCH_FAILED
    assert len(site.visits) == 3


async def test_a_port_where_nobody_listens_is_a_failed_fetch(unused_tcp_port: int) -> None:
    assert (await rejection(f"http://127.0.0.1:{unused_tcp_port}/")).reason is RejectReason.FETCH_FAILED


async def test_an_answer_that_does_not_come_is_given_up(site: Site) -> None:
    policy = FetchPolicy(allow_private_addresses=True, timeout_s=0.05, attempts=2)
    assert (await rejection(site.url("/slow"), policy)).reason is RejectReason.FETCH_FAILED
    assert len(site.visits) == 2


async def test_many_slow_answers_keep_no_other_waiting(site: Site) -> None:
    policy = FetchPolicy(allow_private_addresses=True, attempts=1, timeout_s=30)
    async with Fetcher(policy) as fetcher, asyncio.TaskGroup() as group:
        for _ in range(120):
            group.create_task(fetcher.fetch(site.url("/slow")))
        async with asyncio.timeout(20):
            for _ in range(120):
                await site.arrived.acquire()
            assert await fetcher.fetch(site.url("/image")) == BODY
        site.release.set()


async def test_a_caller_that_is_cancelled_stays_cancelled(site: Site) -> None:
    async with Fetcher(LOCAL) as fetcher:
        task = asyncio.ensure_future(fetcher.fetch(site.url("/slow")))
        await site.arrived.acquire()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("page", ["/announced", "/endless"])
async def test_a_body_above_the_limit_is_not_read_to_its_end(site: Site, page: str) -> None:
    assert (await rejection(site.url(page))).reason is RejectReason.TOO_MANY_BYTES


async def test_a_redirect_is_followed_relative_to_its_page(site: Site) -> None:
    async with Fetcher(LOCAL) as fetcher:
        assert await fetcher.fetch(site.url("/redirect?to=/image")) == BODY


async def test_a_circle_of_redirects_ends_after_the_third(site: Site) -> None:
    assert (await rejection(site.url("/redirect?to=/redirect?to=/x"))).reason is RejectReason.NOT_FOUND
    site.visits.clear()
    loop = site.url("/redirect") + "?to=/redirect%3Fto%3D" + "/redirect%253Fto%253D/redirect%25253Fto%25253D/image"
    assert (await rejection(loop)).reason is RejectReason.FETCH_FAILED
    assert len(site.visits) == 4


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "//[::1"])
async def test_a_redirect_to_anything_but_the_web_is_refused(site: Site, target: str) -> None:
    assert (await rejection(site.url(f"/redirect?to={target}"))).reason is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize("uri", ["http://", "http:///image", "http://[::1", "http://host:port/"])
async def test_an_address_that_is_none_is_refused(uri: str) -> None:
    assert (await rejection(uri)).reason is RejectReason.URI_NOT_ALLOWED


async def test_the_web_can_be_forbidden(site: Site) -> None:
    policy = FetchPolicy(allow_http=False, allow_private_addresses=True)
    assert (await rejection(site.url("/image"), policy)).reason is RejectReason.URI_NOT_ALLOWED
    assert site.visits == []


async def test_a_proxy_in_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with Fetcher(LOCAL) as fetcher:
        assert await fetcher.fetch(site.url("/image")) == BODY


async def test_no_compression_is_asked_for_because_it_would_dodge_the_limit(site: Site) -> None:
    async with Fetcher(LOCAL) as fetcher:
        await fetcher.fetch(site.url("/image"))
    assert site.headers["Accept-Encoding"] == "identity"


async def test_a_rejection_shows_the_address_without_its_secrets(site: Site) -> None:
    signed = site.url("/status/404").replace("://", "://me:password@") + "?signature=secret"
    fault = await rejection(signed)
    assert "/status/404" in fault.detail
    assert "password" not in fault.detail
    assert "secret" not in fault.detail


async def test_a_body_that_there_is_no_room_for_is_asked_for_again_when_there_is(site: Site) -> None:
    budget = ByteBudget(len(BODY) + 1)
    async with Fetcher(LOCAL) as fetcher:
        with budget.room() as room:
            with budget.room() as other:
                other.claim(2, of=2)
                task = asyncio.create_task(fetcher.fetch(site.url("/image"), room))
                await site.arrived.acquire()
                while not budget.waiting:  # noqa: ASYNC110 - the answer is on its way
                    await asyncio.sleep(0)
                assert budget.held == 2
            assert await task == BODY
            assert budget.held == len(BODY)
    assert len(site.visits) == 2


async def test_to_wait_for_room_is_no_failed_attempt(site: Site) -> None:
    policy = FetchPolicy(allow_private_addresses=True, attempts=1, timeout_s=1)
    budget = ByteBudget(len(BODY))
    async with Fetcher(policy) as fetcher:
        with budget.room() as room:
            with budget.room() as other:
                other.claim(1, of=1)
                task = asyncio.create_task(fetcher.fetch(site.url("/image"), room))
                await asyncio.wait([task], timeout=1.2 * policy.timeout_s)
            assert await task == BODY


async def test_room_for_a_body_of_unknown_length_is_that_of_what_came(site: Site) -> None:
    budget = ByteBudget(LARGE)
    async with Fetcher(LOCAL, sleep=RecordedSleep()) as fetcher:
        with budget.room() as room:
            with pytest.raises(PoisonInput):
                await fetcher.fetch(site.url("/endless"), room)
            assert budget.held <= LARGE
    assert budget.held == 0


async def test_many_large_bodies_at_once_get_through_and_are_never_more_than_there_is_room_for(site: Site) -> None:
    budget = ByteBudget(3 * LARGE)
    policy = FetchPolicy(allow_private_addresses=True, max_bytes=2 * LARGE, attempts=1)
    async with Fetcher(policy) as fetcher:

        async def fetch() -> int:
            with budget.room() as room:
                size = len(await fetcher.fetch(site.url("/announced"), room))
                assert size <= budget.held <= 3 * LARGE
                return size

        assert await asyncio.gather(*[fetch() for _ in range(30)]) == 30 * [LARGE]
    assert budget.held == 0
