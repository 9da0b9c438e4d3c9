"""Who gets in: as many requests at once as there is room for, and none while there is no index to ask."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from services.gateway.connection import Connection
from services.gateway.image_index import ImageIndex
from services.gateway.problems import Problem


class Admission:
    """Bounds the requests under way, and with them the memory that their bodies take."""

    def __init__(self, connection: Connection, *, max_in_flight: int) -> None:
        self._connection = connection
        self._max_in_flight = max_in_flight
        self.in_flight = 0

    @contextmanager
    def enter(self) -> Iterator[ImageIndex]:
        """Lend the index to one request. Raises Problem, at once, where it must come back later."""
        index = self._connection.index
        if index is None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", self._connection.not_connected() or "")
        if self.in_flight >= self._max_in_flight:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "overloaded",
                f"{self.in_flight} requests are under way, the most that are taken: try later",
            )
        self.in_flight += 1
        try:
            yield index
        finally:
            self.in_flight -= 1


async def _admitted(request: Request) -> AsyncIterator[ImageIndex]:
    admission: Admission = request.app.state.admission
    with admission.enter() as index:
        yield index


Index = Annotated[ImageIndex, Depends(_admitted)]
"""Declared before what reads the body: a request that is turned away costs no memory."""
