"""Running a worker's ASGI application until a signal, or the worker itself, ends it."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn

from shared.runtime.http import AsgiApp

GRACE_S = 20


class Stop:
    """Lets a part of the worker end the whole. The process then exits with `status`."""

    def __init__(self) -> None:
        self.status = 0
        self._server: uvicorn.Server | None = None

    @property
    def requested(self) -> bool:
        """Whether the worker is about to end: an answer without end must end by itself then."""
        return self.status != 0 or bool(self._server and self._server.should_exit)

    def attach(self, server: uvicorn.Server) -> None:
        self._server = server
        server.should_exit = server.should_exit or self.status != 0

    def because(self, sentence: str) -> None:
        """End the worker for something that a person must set right."""
        sys.stderr.write(f"{sentence}\n")
        self._end(2)

    def __call__(self) -> None:
        """End the worker for a fault, which is in the log; a restart may help."""
        self._end(1)

    def _end(self, status: int) -> None:
        self.status = self.status or status
        if self._server:
            self._server.should_exit = True


class _ListeningServer(uvicorn.Server):
    """Answers until the application has stopped: a worker that finishes its work is alive, and not ready.

    uvicorn's own closes its port first, so that nobody hears why.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self.force_exit:
            await self.lifespan.shutdown()
        await super().shutdown(sockets)


def serve(build: Callable[[Stop], AsgiApp], *, host: str, port: int, answers_callers: bool = False) -> None:
    """Build and serve the application until SIGTERM or SIGINT, or until the worker ends itself.

    build: called on the running loop, with what lets the worker end itself. answers_callers: whether its requests are
    its work, which the application is needed for: it takes no more of them then, and stops when they are answered.
    Otherwise they are probes, and are answered to the end. Ends the process, where that has a reason, with its status.
    """
    # Once it has stopped in good order, uvicorn raises the signal again, and SIGTERM would end the process on the spot:
    # what is to be done after that, such as sending the last spans, would not be done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # On asyncio's own loop. With uvloop's a query takes a fifth less of the processor, but whoever writes to a
        # connection that was reset gets a RuntimeError there, which neither redis-py nor aiokafka expects.
        status = asyncio.run(_serve(build, host, port, answers_callers=answers_callers))
    except KeyboardInterrupt:
        status = 0
    if status:
        raise SystemExit(status)


async def _serve(build: Callable[[Stop], AsgiApp], host: str, port: int, *, answers_callers: bool) -> int:
    stop = Stop()
    config = uvicorn.Config(
        build(stop),
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config) if answers_callers else _ListeningServer(config)
    stop.attach(server)
    await server.serve()
    return stop.status or int(not server.started)
