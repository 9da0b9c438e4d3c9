"""Searching over HTTP: by an image that is sent along, by an indexed one, by an address, or by a text."""

from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, Json, PlainValidator, model_validator

from services.gateway.admission import Index
from services.gateway.bodies import media_type, read_image_form
from services.gateway.documents import PROBLEMS, SearchAnswer
from services.gateway.problems import Problem, search_problem
from shared.events.region import Region
from shared.events.search_replies import SearchReply
from shared.events.search_requests import MAX_EXCLUDED, MAX_RANK, MAX_TEXT, MAX_TOP_K

router = APIRouter(
    tags=["search"],
    responses={**PROBLEMS, 200: {"description": "The hits, best first", "model": SearchAnswer}},
)


def _region(text: str) -> Region:
    try:
        return Region(*map(float, text.split(",")))
    except TypeError:  # more or fewer than four
        raise ValueError("a region is left,top,right,bottom") from None


RegionText = Annotated[Region, PlainValidator(_region, json_schema_input_type=str)]
Position = Annotated[str, Field(pattern=r"^\d{1,6}:\d{1,18}$")]


class SearchOptions(BaseModel):
    """What every search takes in its query string."""

    model_config = ConfigDict(extra="forbid")

    top_k: int = Field(default=10, ge=1, le=MAX_TOP_K, description="how many hits at most")
    offset: int = Field(default=0, ge=0, le=MAX_RANK, description="how many of the best hits are left out")
    region: RegionText | None = Field(
        default=None,
        description="the part of the picture that counts, of an image or an address: left,top,right,bottom in shares "
        "of its sides",
        examples=["0.1,0.2,0.5,0.8"],
    )
    min_score: FiniteFloat | None = Field(default=None, description="only hits at or above this score")
    filter: Json[dict[str, Any]] | None = Field(
        default=None, description="a condition on the attributes, as JSON", examples=['{"kind": "animal"}']
    )
    exclude: list[str] = Field(default=[], max_length=MAX_EXCLUDED, description="ids that no hit has")
    exact: bool = Field(default=False, description="compare with every image: slower, and misses none")
    attributes: list[str] | None = Field(
        default=None, max_length=MAX_EXCLUDED, description="the attributes that hits bring; all, if not said"
    )
    explain: bool = Field(default=False, description="say what was searched, and how")
    min_position: list[Position] = Field(
        default=[], max_length=1024, description="shard:position of a receipt that the answer must have seen"
    )
    timeout: float = Field(default=10.0, ge=0.01, le=60, description="seconds to wait for the answer")

    def arguments(self) -> dict[str, Any]:
        """The arguments of ImageIndex.search."""
        pairs = (entry.split(":") for entry in self.min_position)
        return {
            "region": self.region,
            "top_k": self.top_k,
            "offset": self.offset,
            "min_score": self.min_score,
            "filter": self.filter,
            "exclude": self.exclude,
            "exact": self.exact,
            "attributes": self.attributes,
            "explain": self.explain,
            "min_position": {int(shard): int(position) for shard, position in pairs},
            "timeout_s": self.timeout,
        }


class Reference(SearchOptions):
    """What need not be sent in a body: an image that is indexed, or to be fetched, or a text."""

    id: str | None = Field(default=None, description="an indexed image")
    uri: str | None = Field(default=None, description="http(s)://, s3:// or file://, where the searcher may read it")
    text: str | None = Field(default=None, max_length=MAX_TEXT, description="words, where the encoder is a CLIP model")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if sum(given is not None for given in (self.id, self.uri, self.text)) != 1:
            raise ValueError("a search has one of 'id', 'uri' and 'text'")
        return self


_IMAGE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {"image": {"type": "string", "format": "binary", "description": "up to 256 KiB"}},
            }
        }
    },
}


@router.get("/search", summary="Search by an indexed image, by an address, or by a text")
async def search_by_reference(index: Index, query: Annotated[Reference, Query()]) -> Response:
    return _answer(await index.search(id=query.id, uri=query.uri, text=query.text, **query.arguments()))


@router.post("/search", summary="Search by an image", openapi_extra={"requestBody": _IMAGE_BODY})
async def search_by_image(index: Index, request: Request, options: Annotated[SearchOptions, Query()]) -> Response:
    if media_type(request) != "multipart/form-data":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the image comes as multipart/form-data, in the field 'image'",
        )
    form = await read_image_form(request)
    return _answer(await index.search(image=form.image, **options.arguments()))


def _answer(reply: SearchReply) -> Response:
    if reply.error is not None:
        raise search_problem(reply.error)
    return SearchAnswer.model_validate(reply).response()
