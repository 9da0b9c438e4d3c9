"""Probes: each answer names what it lacks."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from shared.runtime.health import Check, Flag, Health
from shared.runtime.http import AsgiApp, operational_routes


def always(answer: str | None) -> Check:
    return lambda: answer


def test_a_worker_is_alive_unless_a_check_says_otherwise() -> None:
    assert Health().not_alive() == {}
    assert Health(alive={"a": always(None), "b": always("stuck")}).not_alive() == {"b": "stuck"}


def test_what_is_not_alive_is_not_ready_either() -> None:
    health = Health(alive={"a": always("stuck")}, ready={"b": always("behind"), "c": always(None)})
    assert health.not_ready() == {"a": "stuck", "b": "behind"}
    assert health.not_alive() == {"a": "stuck"}


def test_a_flag_fails_until_it_is_set_and_again_when_it_is_cleared() -> None:
    flag = Flag("starting")
    assert flag() == "starting"
    flag.set()
    assert flag() is None
    flag.clear("stopping")
    assert flag() == "stopping"


async def get(app: AsgiApp) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])


@pytest.fixture
def flag() -> Flag:
    return Flag("the worker is starting")


@pytest.fixture
def routes(flag: Flag) -> dict[str, AsgiApp]:
    registry = CollectorRegistry()
    Counter("things", "Things that happened", registry=registry).inc(3)
    return dict(operational_routes(Health(alive={"loop": always(None)}, ready={"started": flag}), registry))


async def test_a_probe_answers_503_with_what_is_lacking(routes: dict[str, AsgiApp]) -> None:
    status, body = await get(routes["/readyz"])
    assert status == 503
    assert json.loads(body) == {"status": "failing", "failing": {"started": "the worker is starting"}}


async def test_a_probe_answers_200_when_all_is_well(routes: dict[str, AsgiApp], flag: Flag) -> None:
    flag.set()
    assert await get(routes["/readyz"]) == (200, b'{"status":"ok","failing":{}}')
    assert (await get(routes["/livez"]))[0] == 200


async def test_the_metrics_are_those_of_the_workers_own_registry(routes: dict[str, AsgiApp]) -> None:
    status, body = await get(routes["/metrics"])
    assert status == 200
    assert b"things_total 3.0" in body


def test_every_route_has_a_place_of_its_own(routes: dict[str, Callable[..., Any]]) -> None:
    assert set(routes) == {"/livez", "/readyz", "/metrics"}


async def test_a_worker_that_is_about_to_end_is_alive_whatever_stands_still_and_not_ready() -> None:
    stopping = False
    health = Health(alive={"a": always("stuck")}, ready={"b": always(None)}, stopping=lambda: stopping)
    routes = dict(operational_routes(health, CollectorRegistry()))
    assert [(await get(routes[path]))[0] for path in ("/livez", "/readyz")] == [503, 503]
    stopping = True
    assert (await get(routes["/livez"]))[0] == 200
    status, body = await get(routes["/readyz"])
    assert (status, list(json.loads(body)["failing"])) == (503, ["stopping"])
