"""Images come and go over HTTP."""

import contextlib
import hashlib
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from services.gateway.access.admission import Writing
from services.gateway.api.bodies import media_type, read_body, read_image_form
from services.gateway.api.documents import PROBLEMS, Accepted, Applied, Source
from services.gateway.image_index import ImageIndex
from services.gateway.problems import Problem
from services.gateway.sending import acknowledged
from shared.client import NoAnswer, Searchable, Sent
from shared.events.decoding import decode
from shared.events.images import Attributes
from shared.events.upload_forms import UploadImage, checked_upload
from shared.events.uploads import read_native

MAX_WAIT_S = 60.0

_attributes = msgspec.json.Decoder(Attributes)

router = APIRouter(
    tags=["images"],
    responses={
        **PROBLEMS,
        200: {"description": "It has taken effect within the time to wait", "model": Applied},
        202: {"description": "Kafka has it; it takes effect soon, as its Location tells", "model": Accepted},
    },
)

Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_S, description="seconds to wait until it has taken effect")]

_UPLOAD_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {"type": "string", "format": "binary", "description": "up to 256 KiB"},
                    "id": {"type": "string", "description": "without it, the SHA-256 of the image's bytes"},
                    "attributes": {"type": "string", "description": "a JSON object of scalars and lists of scalars"},
                },
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "description": "the native upload event, as on the bus: with one of `uri` and `data`",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "uri": {"type": "string", "description": "http(s)://, s3:// or file://"},
                    "data": {"type": "string", "format": "byte", "description": "base64, up to 256 KiB of image"},
                    "attributes": {"type": "object"},
                    "occurred_at": {"type": "string", "format": "date-time"},
                },
            }
        },
    },
}


async def _read_upload(request: Request) -> UploadImage:
    match media_type(request):
        case "application/json":
            return read_native(None, await read_body(request))
        case "multipart/form-data":
            form = await read_image_form(request, "id", "attributes")
            return checked_upload(
                image_id=form.fields.get("id") or hashlib.sha256(form.image).hexdigest(),
                uri=None,
                data=form.image,
                attributes=_read_attributes(form.fields.get("attributes")),
                occurred_at=None,
            )
        case other:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                f"an upload is multipart/form-data or application/json; the content type is {other!r}",
            )


def _read_attributes(text: str | None) -> Attributes:
    try:
        return decode(_attributes, text.encode()) if text else {}
    except msgspec.DecodeError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "bad_request", f"attributes: {error}") from None


@router.post("/images", summary="Index an image", status_code=202, openapi_extra={"requestBody": _UPLOAD_BODY})
async def upload_image(
    visit: Writing, upload: Annotated[UploadImage, Depends(_read_upload)], wait: Wait = 0.0
) -> Response:
    """The image is sent in the request, or named by its uri. Sending it again under the same id replaces it."""
    sent = await acknowledged(
        visit.index.upload(
            upload.id,
            uri=upload.uri,
            data=upload.data,
            attributes=upload.attributes,
            occurred_at=upload.occurred_at,
        )
    )
    return await _outcome(visit.index, sent, wait)


@router.delete("/images/{id:path}", summary="Forget an image", status_code=202)
async def delete_image(visit: Writing, id: str, wait: Wait = 0.0) -> Response:  # noqa: A002 - the contract's name
    """To forget what is not there is no error."""
    return await _outcome(visit.index, await acknowledged(visit.index.delete(id)), wait)


async def _outcome(index: ImageIndex, sent: Sent, wait_s: float) -> Response:
    """200 with the receipt where it comes in time, else 202. Raises UploadRejected."""
    source = Source.model_validate(sent.source)
    if wait_s > 0:
        with contextlib.suppress(NoAnswer):
            return _applied(source, await index.wait_searchable(sent, timeout_s=wait_s)).response()
    accepted = Accepted(id=sent.id, source=source).response(HTTPStatus.ACCEPTED)
    accepted.headers["Location"] = f"/uploads/{source.partition}/{source.offset}"
    return accepted


def _applied(source: Source, searchable: Searchable) -> Applied:
    receipt = searchable.receipt
    return Applied(
        id=receipt.id,
        source=source,
        effect=receipt.effect,
        shard=receipt.shard,
        position=receipt.position,
        after_s=round(searchable.after_s, 6),
    )
