"""What a search is answered over HTTP."""

from datetime import datetime
from typing import Any

from msgspec import UNSET
from pydantic import Field, field_validator

from services.gateway.api.documents import Document
from services.gateway.problems import ProblemDocument, document_of, search_problem
from services.gateway.thumbnails.links import Links
from shared.events.search_replies import SearchReply


class Hit(Document):
    """One image that was found."""

    id: str
    score: float = Field(description="cosine similarity, -1 to 1, larger is nearer")
    uri: str | None
    attributes: dict[str, Any]
    occurred_at: datetime | None
    thumbnail: str | None = Field(default=None, description="where its picture is shown, if the gateway may show it")


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
    missing: list[int] = Field(
        description="shards whose searchers did not answer: they may hold hits that would stand among these"
    )
    explanation: Explanation | None = Field(default=None, description="where it was asked for")

    @field_validator("explanation", mode="before")
    @classmethod
    def _where_asked_for(cls, value: object) -> object:
        return None if value is UNSET else value


class BatchAnswer(Document):
    """An answer to each request of a batch, in its order; one that got none has its problem there."""

    batch: list[SearchAnswer | ProblemDocument]


def answer_to(reply: SearchReply, links: Links | None) -> SearchAnswer | BatchAnswer:
    """What a reply is over HTTP. Raises Problem for one that says why there are no hits.

    links: to what hits look like, where that is shown.
    """
    if reply.error is not None:
        raise search_problem(reply)
    if reply.batch is UNSET:
        return _answer(reply, links)
    return BatchAnswer(
        batch=[document_of(search_problem(each)) if each.error else _answer(each, links) for each in reply.batch]
    )


def _answer(reply: SearchReply, links: Links | None) -> SearchAnswer:
    answer = SearchAnswer.model_validate(reply)
    if links is not None:
        for hit in answer.hits:
            hit.thumbnail = links.to(hit.uri) if hit.uri else None
    return answer
