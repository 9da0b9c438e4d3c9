"""Thumbnails over HTTP."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from services.gateway.api.documents import PROBLEMS
from services.gateway.problems import Problem
from services.gateway.thumbnails.drawing import MEDIA_TYPE
from services.gateway.thumbnails.maker import Thumbnails

router = APIRouter(tags=["search"], responses=PROBLEMS)


@router.get(
    "/thumbnails/{token}",
    summary="See a hit",
    response_class=Response,
    responses={200: {"description": "The picture, small", "content": {MEDIA_TYPE: {}}}},
)
async def thumbnail(request: Request, token: str) -> Response:
    """The address stands in the hit, as `thumbnail`. It takes no key, and is good for an hour at least."""
    thumbnails: Thumbnails | None = request.app.state.thumbnails
    uri = thumbnails.links.uri(token) if thumbnails else None
    if thumbnails is None or uri is None:
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_thumbnail", "no hit had this link, or it has ended: search again")
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(await thumbnails.of(uri), headers=headers, media_type=MEDIA_TYPE)
