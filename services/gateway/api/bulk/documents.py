"""What the answer to a bulk upload tells, event by event."""

from typing import Literal

from pydantic import Field

from services.gateway.api.documents import Document
from services.gateway.problems import ProblemDocument

State = Literal["accepted", "indexed", "superseded", "rejected", "refused", "late"]


class LineOutcome(Document):
    """What became of one line.

    accepted: Kafka has it, and nobody waits for more. indexed: it is searchable. superseded: a later event of the same
    image took effect before. rejected: it is no image that can be indexed. refused: it never came to Kafka. late: Kafka
    has it, and it did not take effect within the time to wait.
    """

    line: int = Field(description="from 1")
    id: str | None = Field(description="null where the line names none that can be read")
    state: State
    shard: int | None = None
    position: int | None = None
    after_s: float | None = Field(default=None, description="seconds from handing it over to hearing of its effect")
    problem: ProblemDocument | None = Field(default=None, description="of what was rejected, refused or late")


class BulkProgress(Document):
    """How many lines came so far, and what became of them; the rest is under way."""

    lines: int = 0
    accepted: int = 0
    indexed: int = 0
    superseded: int = 0
    rejected: int = 0
    refused: int = 0
    late: int = 0


class BulkDone(BulkProgress):
    """The end. problem: why lines that may have followed were not read, if so."""

    problem: ProblemDocument | None = None
