"""The bodies of successful answers: what they have in common, and those about images that come and go."""

from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

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


class UploadStatus(Document):
    """What became of an upload or a delete. The last four are of what took effect, or was rejected."""

    id: str
    partition: int
    offset: int
    state: Literal["pending", "indexed", "deleted", "superseded", "rejected"]
    shard: int | None = None
    position: int | None = None
    after_s: float | None = None
    problem: ProblemDocument | None = None
