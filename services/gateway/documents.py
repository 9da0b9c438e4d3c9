"""The bodies of successful answers."""

from datetime import datetime
from typing import Any

from fastapi import Response
from msgspec import UNSET
from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.gateway.problems import ProblemDocument
from shared.events.receipts import Effect

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request is at fault", "model": ProblemDocument},
    "5XX": {"description": "The same request may succeed later", "model": ProblemDocument},
}


class Document(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    def response(self, status: int = 200) -> Response:
        return Response(self.model_dump_json(), status, media_type="application/json")


class Source(Document):
    """Where the event stands on the upload topic."""

    partition: int
    offset: int


class Accepted(Document):
    """Kafka has the event: it will take effect, or be rejected with a reason."""

    id: str
    source: Source


class Applied(Accepted):
    """The event has taken effect. A search with `min_position=shard:position` is sure to see it."""

    effect: Effect
    shard: int
    position: int
    after_s: float = Field(description="seconds from handing it over to hearing of it")


class Hit(Document):
    """One image that was found."""

    id: str
    score: float = Field(description="cosine similarity, -1 to 1, larger is nearer")
    uri: str | None
    attributes: dict[str, Any]
    occurred_at: datetime | None


class Timings(Document):
    """Where the time of the query went, in milliseconds, as the searcher measured it."""

    queue_ms: float
    fetch_ms: float
    decode_ms: float
    encode_ms: float
    search_ms: float
    total_ms: float


class SegmentSearch(Document):
    """What was done in one segment of a shard; the name of the growing one is empty."""

    shard: int
    segment: str
    rows: int = Field(description="that are current")
    way: str = Field(description="scan, or walk in a graph")
    compared: int = Field(description="rows that were compared with the query")


class Explanation(Document):
    """expansion: candidates that a walk in a graph keeps in view."""

    expansion: int
    segments: list[SegmentSearch]


class SearchAnswer(Document):
    """The hits, best first. positions: shard → the offset that the answer has seen."""

    hits: list[Hit]
    timings: Timings
    positions: dict[int, int]
    scheme: str
    searcher: str
    explanation: Explanation | None = Field(default=None, description="where it was asked for")

    @field_validator("explanation", mode="before")
    @classmethod
    def _where_asked_for(cls, value: object) -> object:
        return None if value is UNSET else value
