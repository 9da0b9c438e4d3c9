"""A library's messages are said once in a while, however often it logs them."""

import asyncio
import logging

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from services.cli.stack.ports import LOOPBACK, free_port
from shared.runtime.repetition import NowAndThen


class Ticking:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def now_and_then(clock: Ticking) -> NowAndThen:
    return NowAndThen(("aiokafka",), every_s=10.0, clock=clock)


def said(by: str, message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(by, logging.ERROR, __file__, 1, message, arguments, None)


def test_a_message_is_said_again_only_after_a_while_and_tells_how_many_were_left_out(
    now_and_then: NowAndThen, clock: Ticking
) -> None:
    passed = []
    for _ in range(101):  # eight a second, for as long as it takes to be said twice
        record = said("aiokafka.consumer.fetcher", "Failed fetch messages from %s: %s", 1, "gone")
        if now_and_then.filter(record):
            passed.append(record.getMessage())
        clock.now_s += 0.125
    assert passed == [
        "Failed fetch messages from 1: gone",
        "Failed fetch messages from 1: gone (79 more like this since the last)",
    ]


def test_other_messages_and_other_loggers_are_not_held_back(now_and_then: NowAndThen) -> None:
    assert now_and_then.filter(said("aiokafka", "Unable to connect to %s", 1))
    assert now_and_then.filter(said("aiokafka", "Marking the coordinator %s dead", 1))
    assert all(now_and_then.filter(said("services.indexer", "log_unavailable")) for _ in range(3))
    assert all(now_and_then.filter(said("aiokafka_tools", "the same")) for _ in range(3))


def test_messages_that_are_made_up_anew_each_time_do_not_fill_the_memory(now_and_then: NowAndThen) -> None:
    for number in range(5000):
        assert now_and_then.filter(said("aiokafka", f"made up: {number}"))
    assert len(now_and_then._passed_at) <= 1000


def test_a_client_of_a_broker_that_is_gone_says_so_once(
    now_and_then: NowAndThen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(now_and_then)
    try:
        asyncio.run(_look_for_a_broker(f"{LOOPBACK}:{free_port()}", times=20))
    finally:
        caplog.handler.removeFilter(now_and_then)
    assert len(caplog.records) == len({record.msg for record in caplog.records})
    assert any("Unable connect" in record.getMessage() for record in caplog.records)


async def _look_for_a_broker(address: str, *, times: int) -> None:
    for _ in range(times):
        client = AIOKafkaClient(bootstrap_servers=address)
        with pytest.raises(KafkaConnectionError):
            await client.bootstrap()
        await client.close()
