"""What went wrong, as RFC 9457 problem documents: one place for every status that is no success."""

from collections.abc import Mapping
from functools import singledispatch
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer
from starlette.exceptions import HTTPException

from shared.access.tenancy import Forbidden
from shared.bus.producer import RecordTooLarge
from shared.client import BusUnavailable, NoAnswer, UploadRejected
from shared.events.faults import PoisonInput, RejectReason
from shared.events.search_replies import ErrorCode, SearchReply
from shared.events.search_requests import BadRequest

RETRY_AFTER_S = 1
_LATER = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS})


class Problem(Exception):
    """A request gets no result. code: for machines, part of the contract; detail: one sentence for people.

    positions: shard → the position that the index had reached. retry_after_s: when the request may succeed, where that
    is known.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        positions: Mapping[int, int] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.positions = positions
        self.retry_after_s = retry_after_s


class ProblemDocument(BaseModel):
    """RFC 9457; `code` says for machines what `detail` says for people."""

    title: str
    status: int
    code: str = Field(examples=["unknown_id", "overloaded", "decode_failed"])
    detail: str
    positions: dict[int, int] | None = Field(
        default=None, description="with `not_yet`: shard → the position that the searcher has reached"
    )

    @model_serializer(mode="wrap")
    def _what_is_said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None}


_SEARCH_STATUS = {
    ErrorCode.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNSUPPORTED: HTTPStatus.NOT_IMPLEMENTED,
    ErrorCode.IMAGE_REJECTED: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.UNKNOWN_ID: HTTPStatus.NOT_FOUND,
    ErrorCode.NOT_YET: HTTPStatus.GATEWAY_TIMEOUT,
    ErrorCode.NOT_READY: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERNAL: HTTPStatus.BAD_GATEWAY,
}


def search_problem(reply: SearchReply) -> Problem:
    """What a searcher's error is over HTTP. reply: one with an error."""
    assert reply.error is not None  # noqa: S101 - the caller has looked
    code = reply.error.code
    reached = reply.positions if code is ErrorCode.NOT_YET else None
    return Problem(_SEARCH_STATUS[code], code.value, reply.error.message, positions=reached)


def document_of(problem: Problem) -> ProblemDocument:
    return ProblemDocument(
        title=problem.status.phrase,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        positions=None if problem.positions is None else dict(problem.positions),
    )


def respond(problem: Problem) -> JSONResponse:
    headers = {}
    if problem.status in _LATER:
        headers["Retry-After"] = str(problem.retry_after_s or RETRY_AFTER_S)
    if problem.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    document = document_of(problem)
    return JSONResponse(document.model_dump(), problem.status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every exception that may leave a route with its problem document."""
    for kind in problem_of.registry.keys() - {object}:
        app.add_exception_handler(kind, _handle)
    app.add_exception_handler(Exception, _handle)


async def _handle(_request: Request, error: Exception) -> JSONResponse:
    return respond(problem_of(error))


@singledispatch
def problem_of(_error: Exception) -> Problem:
    """What an exception is to the caller; one that nobody foresaw tells nothing of itself."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "the gateway failed on this request; its log says how")


@problem_of.register
def _stated(error: Problem) -> Problem:
    return error


@problem_of.register
def _poison(error: PoisonInput) -> Problem:
    too_large = error.reason is RejectReason.INLINE_TOO_LARGE
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST
    return Problem(status, error.reason.value, error.detail)


@problem_of.register
def _bad_search(error: BadRequest) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "bad_request", str(error))


@problem_of.register
def _more_than_kafka_takes(_error: RecordTooLarge) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "request_too_large",
        "all the images and vectors of a search take 1 MiB at most: send fewer, or images by their uri",
    )


@problem_of.register
def _forbidden(error: Forbidden) -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, "forbidden", str(error))


@problem_of.register
def _rejected(error: UploadRejected) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.reject.reason.value, error.reject.detail)


@problem_of.register
def _no_answer(error: NoAnswer) -> Problem:
    return Problem(HTTPStatus.GATEWAY_TIMEOUT, "no_answer", str(error))


@problem_of.register
def _bus_unavailable(error: BusUnavailable) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "bus_unavailable", str(error))


@problem_of.register
def _invalid(error: RequestValidationError) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "bad_request", "; ".join(map(_sentence, error.errors())))


@problem_of.register
def _http(error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    return Problem(status, status.name.lower(), error.detail)


def _sentence(item: dict[str, object]) -> str:
    """One of pydantic's errors: where, and what would be right."""
    place = item["loc"]
    name = ".".join(str(part) for part in place[1:]) if isinstance(place, tuple) else ""
    text = str(item["msg"]).removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
