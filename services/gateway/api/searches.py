"""Searching over HTTP: by an image that is sent along, an indexed one, an address or a text; by several; in batches."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.gateway.access.admission import Reading
from services.gateway.api.bodies import MAX_SEARCH_BYTES, media_type, read_body, read_image_form
from services.gateway.api.documents import PROBLEMS
from services.gateway.api.search_answers import BatchAnswer, SearchAnswer, answer_to
from services.gateway.api.search_options import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, Reference, SearchOptions
from services.gateway.problems import Problem
from services.gateway.thumbnails.links import Links
from services.gateway.thumbnails.maker import Thumbnails
from shared.events import headers as hdr
from shared.events.search_requests import decode_request

router = APIRouter(tags=["search"], responses=PROBLEMS)

_SEARCH_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {"image": {"type": "string", "format": "binary", "description": "up to 256 KiB"}},
            }
        },
        "application/json": {
            "schema": {"$ref": "#/components/schemas/SearchRequest"},
            "examples": {
                "several": {
                    "summary": "like these two, and not like the third",
                    "value": {
                        "examples": [{"id": "a"}, {"id": "b", "weight": 0.5}, {"id": "c", "weight": -1}],
                        "top_k": 20,
                    },
                },
                "batch": {
                    "summary": "two searches at once",
                    "value": {"batch": [{"id": "a"}, {"uri": "https://example.org/b.jpg", "top_k": 3}]},
                },
            },
        },
    },
}


@router.get(
    "/search",
    summary="Search by an indexed image, by an address, or by a text",
    responses={200: {"description": "The hits, best first", "model": SearchAnswer}},
)
async def search_by_reference(visit: Reading, request: Request, query: Annotated[Reference, Query()]) -> Response:
    search = query.request(id=query.id, uri=query.uri, text=query.text)
    return answer_to(await visit.index.ask(search, timeout_s=query.timeout), _links(request)).response()


@router.post(
    "/search",
    summary="Search by an image, by several examples, or several times at once",
    responses={200: {"description": "The hits, best first", "model": SearchAnswer | BatchAnswer}},
    openapi_extra={"requestBody": _SEARCH_BODY},
)
async def search_by_body(visit: Reading, request: Request, options: Annotated[SearchOptions, Query()]) -> Response:
    """As a form, one image, with the options in the query string; as JSON, the search request of the bus.

    The JSON says everything in itself: bytes are in base64, and `timeout_ms` is 10 seconds if not said, and one minute
    at most. A batch is answered 200 with an answer or a problem for each of its requests.
    """
    match media_type(request):
        case "multipart/form-data":
            form = await read_image_form(request)
            reply = await visit.index.ask(options.request(image=form.image), timeout_s=options.timeout)
        case "application/json":
            if request.query_params:
                raise Problem(
                    HTTPStatus.BAD_REQUEST,
                    "bad_request",
                    f"a search as JSON says everything in its body, but the query string has {[*request.query_params]}",
                )
            search = decode_request(await read_body(request, MAX_SEARCH_BYTES), hdr.JSON)
            visit.pay(len(search.batch or [search]))
            timeout_s = search.timeout_ms / 1000 if search.timeout_ms else DEFAULT_TIMEOUT_S
            reply = await visit.index.ask(search, timeout_s=min(timeout_s, MAX_TIMEOUT_S))
        case other:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "a search is an image as multipart/form-data, in the field 'image', or application/json; the content "
                f"type is {other!r}",
            )
    return answer_to(reply, _links(request)).response()


def _links(request: Request) -> Links | None:
    thumbnails: Thumbnails | None = request.app.state.thumbnails
    return thumbnails.links if thumbnails else None
