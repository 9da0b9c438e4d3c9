"""Searches as the query string has them."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, Json, PlainValidator, model_validator

from shared.events.region import Region
from shared.events.search_requests import MAX_EXCLUDED, MAX_RANK, MAX_TEXT, MAX_TOP_K, SearchRequest

DEFAULT_TIMEOUT_S = 10.0
MAX_TIMEOUT_S = 60.0


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
        default=[],
        max_length=1024,
        description="shard:position of a receipt that the answer must have seen; where the searcher does not reach it "
        "in time, the answer is 504 `not_yet` with the positions that it has reached",
    )
    timeout: float = Field(
        default=DEFAULT_TIMEOUT_S, ge=0.01, le=MAX_TIMEOUT_S, description="seconds to wait for the answer"
    )

    def request(
        self,
        *,
        id: str | None = None,  # noqa: A002 - the contract's name
        uri: str | None = None,
        text: str | None = None,
        image: bytes | None = None,
    ) -> SearchRequest:
        """The same search as the bus has it. Of what it is for, one thing is given."""
        pairs = (entry.split(":") for entry in self.min_position)
        return SearchRequest(
            id=id,
            uri=uri,
            text=text,
            image=image,
            region=self.region,
            top_k=self.top_k,
            offset=self.offset,
            min_score=self.min_score,
            filter=self.filter,
            exclude=frozenset(self.exclude),
            exact=self.exact,
            attributes=None if self.attributes is None else frozenset(self.attributes),
            explain=self.explain,
            min_position={int(shard): int(position) for shard, position in pairs},
        )


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
