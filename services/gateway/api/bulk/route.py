"""Bulk uploads over HTTP: a line for each image, and events that tell what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.types import Receive, Scope, Send

from services.gateway.access.admission import Writing
from services.gateway.access.authentication import Authentication
from services.gateway.api.bodies import media_type
from services.gateway.api.bulk.documents import BulkDone, BulkProgress, LineOutcome
from services.gateway.api.bulk.lines import lines_of
from services.gateway.api.bulk.upload import BulkUpload, Event, Tell
from services.gateway.api.documents import PROBLEMS
from services.gateway.api.uploads import MAX_WAIT_S
from services.gateway.problems import Problem

_NDJSON = "application/x-ndjson"
_STREAM = "text/event-stream"
_NAMES: dict[type[Event], str] = {LineOutcome: "outcome", BulkProgress: "progress", BulkDone: "done"}

router = APIRouter(tags=["images"], responses=PROBLEMS)

_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        _NDJSON: {
            "schema": {"type": "string", "description": "native upload events as on the bus, one on each line"},
            "example": '{"id": "a", "uri": "https://example.org/a.jpg"}\n{"id": "b", "data": "…base64…"}\n',
        }
    },
}


@router.post(
    "/images/bulk",
    summary="Index many images",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: `outcome` of each line, `progress` every second, and `done` at the end",
            "content": {
                _STREAM: {
                    "schema": {
                        "anyOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in _NAMES],
                    }
                }
            },
        }
    },
    openapi_extra={"requestBody": _BODY},
)
async def upload_many(
    visit: Writing,
    request: Request,
    wait: Annotated[
        float, Query(ge=0, le=MAX_WAIT_S, description="seconds that each may take to become searchable")
    ] = MAX_WAIT_S,
) -> Response:
    """The body is read as it comes, no faster than the events are, and what becomes of each line is told at once.

    A line that fails costs itself alone. An id should stand on one line: those of one id are taken in no certain order.
    """
    if media_type(request) != _NDJSON:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            f"a bulk upload is {_NDJSON}, an upload event on each line",
        )
    lines = lines_of(aiter(request.stream()))
    first = await anext(lines, None)  # before the answer begins: who asked whether to go on has to be told so first
    authentication: Authentication = request.app.state.authentication

    async def upload(tell: Tell) -> None:
        bulk = BulkUpload(visit, tell, welcome=lambda: authentication.still_knows(visit.caller), wait_s=wait)
        await bulk.run(_all(first, lines))

    return _Told(upload)


class _Told(Response):
    """Reads the rest of the request while it answers.

    No other response can: those of Starlette take what comes from the client meanwhile, to see it go away.
    """

    def __init__(self, upload: Callable[[Tell], Awaitable[None]]) -> None:
        """upload: called with what is awaited for each event; the answer ends with it."""
        super().__init__(None, HTTPStatus.OK, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, _STREAM)
        del self.headers["content-length"]
        self._upload = upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an application's
        writing = asyncio.Lock()

        async def tell(event: Event) -> None:
            data = f"event: {_NAMES[type(event)]}\ndata: {event.model_dump_json(exclude_none=True)}\n\n"
            async with writing:
                await send({"type": "http.response.body", "body": data.encode(), "more_body": True})

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._upload(tell)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _all(first: bytes | None, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first is not None:
        yield first
    async for line in rest:
        yield line
