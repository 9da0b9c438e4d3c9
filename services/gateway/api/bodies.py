"""Reading what a request carries, within bounds of size and of time."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from starlette.types import Message, Receive

from services.gateway.problems import Problem
from shared.events.images import MAX_INLINE_BYTES

MAX_BODY_BYTES = 2 * MAX_INLINE_BYTES
"""Room for the largest inline image in base64, with its attributes."""
MAX_SEARCH_BYTES = 2 * 1024 * 1024
"""Room for as many images and vectors as fit a record of 1 MiB, as JSON."""
READ_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class ImageForm:
    """A multipart form: one image, and fields of text."""

    image: bytes
    fields: dict[str, str]


async def read_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Raises Problem for a body that is too large or too slow."""
    return await _bounded(request, max_bytes).body()


async def read_image_form(request: Request, *fields: str) -> ImageForm:
    """Read a form with a file `image` and at most the `fields` named. Raises Problem."""
    async with _bounded(request).form(max_files=1, max_fields=len(fields)) as form:
        if unknown := form.keys() - {"image", *fields}:
            raise _bad_form(f"the form has unknown fields {sorted(unknown)}: known are {['image', *fields]}")
        image = form.get("image")
        if image is None or isinstance(image, str):
            raise _bad_form("the form needs the image as a file in its field 'image'")
        data = await image.read()
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
    if not 0 < len(data) <= MAX_INLINE_BYTES:
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if data else HTTPStatus.BAD_REQUEST
        raise Problem(
            status,
            "inline_too_large" if data else "bad_request",
            f"the image has {len(data)} bytes; 1 to {MAX_INLINE_BYTES} travel inline, larger ones go by their uri",
        )
    return ImageForm(data, texts)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _bad_form(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "bad_request", detail)


def _bounded(request: Request, max_bytes: int = MAX_BODY_BYTES) -> Request:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    return Request(request.scope, _BoundedBody(request.receive, max_bytes))


class _BoundedBody:
    """Passes the body on as it comes, and stops where there is too much of it or it takes too long."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._deadline = asyncio.get_running_loop().time() + READ_WITHIN_S

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "too_slow", f"the request was not complete within {READ_WITHIN_S:.0f} s"
            ) from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large(self._max_bytes)
        return message


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"such a request has at most {max_bytes} bytes"
    )
