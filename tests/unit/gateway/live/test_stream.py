import json

import pytest
from fastapi.sse import ServerSentEvent

from services.gateway.live.arrivals import KEPT, Arrival
from services.gateway.live.stream import Audience, Batch, Vitals
from services.gateway.problems import Problem
from shared.runtime.server import Stop
from tests.unit.gateway.fakes import FakeIndex, gateway, quiet


def arrival(image_id: str) -> Arrival:
    return Arrival(id=image_id, kind="indexed", after_s=0.25, shard=1, position=7)


async def heard(audience: Audience, bookmark: str | None, *, kind: str) -> ServerSentEvent:
    """The first event of a kind."""
    async for event in audience.events(bookmark):
        if event.event == kind:
            return event
    raise AssertionError("the stream has ended")


class StopsSoon(Stop):
    """Stops after a stream has gone round once, which is looked for from `begin` on: probes look too."""

    looked = 0
    _begun = False

    def begin(self) -> None:
        self._begun = True

    @property
    def requested(self) -> bool:
        self.looked += self._begun
        return self.looked > 1


def never() -> bool:
    return False


async def test_a_listener_hears_what_arrives_and_goes_on_from_its_last_event() -> None:
    live = quiet()
    audience = Audience(live, stopping=never)
    live.arrivals.add(arrival("a"))
    first = await heard(audience, None, kind="arrivals")
    assert first.data == Batch(missed=0, arrivals=[arrival("a")])
    live.arrivals.add(arrival("b"))
    assert (await heard(audience, first.id, kind="arrivals")).data == Batch(missed=0, arrivals=[arrival("b")])


async def test_a_listener_that_is_too_slow_is_told_what_it_missed() -> None:
    live = quiet()
    audience = Audience(live, stopping=never)
    first = await heard(audience, None, kind="arrivals")
    for number in range(KEPT + 88):
        live.arrivals.add(arrival(str(number)))
    batch = (await heard(audience, first.id, kind="arrivals")).data
    assert isinstance(batch, Batch)
    assert (batch.missed, len(batch.arrivals), batch.arrivals[0].id) == (88, KEPT, "88")


async def test_vitals_tell_of_the_searches_and_why_the_rest_is_not_known() -> None:
    live = quiet()
    live.searches.saw(0.02, answered=True)
    vitals = (await heard(Audience(live, stopping=never), None, kind="vitals")).data
    assert isinstance(vitals, Vitals)
    assert (vitals.searches.p50_ms, vitals.progress, vitals.problem) == (20.0, None, "asking")


async def test_listeners_are_bounded_and_a_place_is_given_back() -> None:
    audience = Audience(quiet(), stopping=never, most=1)
    with audience.enter(), pytest.raises(Problem, match="1 listen already"), audience.enter():
        pass
    with audience.enter():
        assert audience.listeners == 1


async def test_a_gateway_that_stops_ends_the_streams() -> None:
    stop = Stop()
    live = quiet()
    live.arrivals.add(arrival("a"))
    audience = Audience(live, stopping=lambda: stop.requested)
    kinds = []
    async for event in audience.events(None):
        kinds.append(event.event)
        if event.event == "vitals":
            stop()
    assert kinds == ["arrivals", "vitals"]


async def test_the_stream_is_server_sent_events_that_nothing_in_between_keeps(index: FakeIndex) -> None:
    live = quiet()
    live.arrivals.add(arrival("ä\n"))
    stop = StopsSoon()
    async with gateway(index, live=live, stop=stop) as http:
        stop.begin()
        answer = await http.get("/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    lines = answer.text.splitlines()
    assert lines[0] == "event: arrivals"
    sent = json.loads(lines[1].removeprefix("data: "))
    assert sent["arrivals"][0]["id"] == "ä\n"
    assert "event: vitals" in lines


async def test_searches_are_told_to_the_rates(index: FakeIndex) -> None:
    live = quiet()
    async with gateway(index, live=live) as http:
        for path in ("/search?id=a", "/search", "/nothing"):
            await http.get(path)
    assert (live.searches.rates().per_second > 0, live.searches.rates().failed) == (True, 1)
