"""How a part of a worker ends the whole."""

import pytest
import uvicorn

from shared.runtime.server import Stop


async def nothing(scope: object, receive: object, send: object) -> None: ...


@pytest.fixture
def server() -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(nothing))


def test_a_fault_ends_the_server_with_status_1(server: uvicorn.Server) -> None:
    stop = Stop()
    stop.attach(server)
    assert not server.should_exit
    stop()
    assert (server.should_exit, stop.status) == (True, 1)


def test_what_a_person_must_set_right_ends_it_with_status_2_and_the_sentence(
    server: uvicorn.Server, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = Stop()
    stop.attach(server)
    stop.because("PORT='none' cannot be used.")
    assert (server.should_exit, stop.status) == (True, 2)
    assert capsys.readouterr().err == "PORT='none' cannot be used.\n"


def test_a_stop_before_there_is_a_server_is_not_forgotten(server: uvicorn.Server) -> None:
    stop = Stop()
    stop()
    stop.attach(server)
    assert server.should_exit


def test_the_first_reason_counts() -> None:
    stop = Stop()
    stop.because("the first")
    stop()
    assert stop.status == 2
