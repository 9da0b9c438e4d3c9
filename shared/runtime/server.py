"""Running a worker's ASGI application until a signal, or the worker itself, ends it."""

import asyncio
import sys
from collections.abc import Callable

import uvicorn

from shared.runtime.http import AsgiApp
from shared.runtime.settings import BadSettings

GRACE_S = 20


class Stop:
    """Lets a part of the worker end the whole: the process then exits with status 1."""

    def __init__(self) -> None:
        self.requested = False
        self._server: uvicorn.Server | None = None

    def attach(self, server: uvicorn.Server) -> None:
        self._server = server
        server.should_exit = server.should_exit or self.requested

    def __call__(self) -> None:
        self.requested = True
        if self._server:
            self._server.should_exit = True


def serve(build: Callable[[Stop], AsgiApp], *, host: str, port: int) -> None:
    """Build and serve the application until SIGTERM or SIGINT; the process ends with status 1 if it failed.

    build: called on the running loop, with what lets the worker end itself.
    """
    try:
        failed = asyncio.run(_serve(build, host, port))
    except KeyboardInterrupt:  # uvicorn has stopped in good order, and raises the signal again
        failed = False
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    if failed:
        raise SystemExit(1)


async def _serve(build: Callable[[Stop], AsgiApp], host: str, port: int) -> bool:
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
    server = uvicorn.Server(config)
    stop.attach(server)
    await server.serve()
    return stop.requested or not server.started
