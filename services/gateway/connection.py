"""The one connection to the bus: made in the background, so that the gateway answers before Kafka does."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeAlias

from services.gateway.image_index import ConnectedIndex
from shared.client import BusUnavailable
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_RETRY_S = 1.0
_CLOSE_WITHIN_S = 5.0

OpenIndex: TypeAlias = Callable[[], AbstractAsyncContextManager[ConnectedIndex]]


class Connection:
    """Holds the index while there is one. `run` connects and stays so until it is cancelled.

    Once connected, the client itself finds its way back to a broker that went away.
    """

    def __init__(self, open_index: OpenIndex) -> None:
        self._open = open_index
        self.index: ConnectedIndex | None = None
        self._problem = "for the first time"

    def not_connected(self) -> str | None:
        """A readiness check."""
        if self.index:
            return None
        return f"Kafka and its topics are not there yet: the gateway keeps trying ({self._problem})"

    def not_hearing(self) -> str | None:
        """A liveness check: whoever asks gets no answer when the client hears none."""
        return self.index.not_hearing() if self.index else None

    async def run(self) -> None:
        while True:
            try:
                await self._hold()
            except BusUnavailable as error:
                self._problem = str(error)
                log.warning("waiting_for_kafka", error=str(error), retry_in_s=_RETRY_S)
                await asyncio.sleep(_RETRY_S)

    async def _hold(self) -> None:
        resources = AsyncExitStack()
        self.index = await resources.enter_async_context(self._open())
        log.info("gateway_connected")
        try:
            await asyncio.Event().wait()
        finally:
            self.index = None
            await _close(resources)


async def _close(resources: AsyncExitStack) -> None:
    """Close, but not at any price: the callers were told what Kafka has not acknowledged, and a broker may hang."""
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await resources.aclose()
    except TimeoutError:
        log.warning("connection_not_closed", within_s=_CLOSE_WITHIN_S)
