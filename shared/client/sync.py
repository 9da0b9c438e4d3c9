"""The client for code without an event loop: the same names, and each call returns when the answer is there."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from shared.bus.ungrouped import FETCH_WAIT_MS
from shared.client.client import MAX_IN_FLIGHT, AfterimageClient
from shared.wires.kafka import PLAINTEXT, KafkaSecurity

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    method: Callable[Concatenate[AfterimageClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["SyncAfterimageClient", P], R]:
    """The same method, which waits."""

    @wraps(method)
    def call(self: "SyncAfterimageClient", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(method(self._connected(), *args, **kwargs))

    return call


class SyncAfterimageClient:
    """An AfterimageClient with a loop of its own, in a thread of its own. Use as a context manager.

    Safe to share between threads, whose calls go side by side. Not for use from within an event loop, which it would
    block: there is AfterimageClient for that. Raises what that raises.
    """

    def __init__(
        self,
        bootstrap_servers: str = "localhost:9092",
        *,
        security: KafkaSecurity = PLAINTEXT,
        namespace: str = "",
        max_in_flight: int = MAX_IN_FLIGHT,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        """See AfterimageClient."""
        self._make: Callable[[], AfterimageClient] = lambda: AfterimageClient(
            bootstrap_servers,
            security=security,
            namespace=namespace,
            max_in_flight=max_in_flight,
            fetch_wait_ms=fetch_wait_ms,
        )
        self._client: AfterimageClient | None = None
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="afterimage-client", daemon=True)
        self._thread.start()
        try:
            self._client = self._run(self._open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._connected(), None
        try:
            self._run(client.__aexit__(kind, error, trace))
        finally:
            self._end()

    upload = _blocking(AfterimageClient.upload)
    delete = _blocking(AfterimageClient.delete)
    redrive = _blocking(AfterimageClient.redrive)
    find_sent = _blocking(AfterimageClient.find_sent)
    wait_searchable = _blocking(AfterimageClient.wait_searchable)
    search = _blocking(AfterimageClient.search)
    ask = _blocking(AfterimageClient.ask)

    def not_hearing(self) -> str | None:
        return self._connected().not_hearing()

    async def _open(self) -> AfterimageClient:
        return await self._make().__aenter__()

    def _connected(self) -> AfterimageClient:
        if self._client is None:
            raise RuntimeError("the client is used as a context manager: it is not connected")
        return self._client

    def _run(self, work: Coroutine[Any, Any, R]) -> R:
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result()
        except BaseException:  # such as Ctrl-C, while it waits: then nobody wants the answer
            waiting.cancel()
            raise

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
