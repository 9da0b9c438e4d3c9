"""What can be set, by environment variables that begin with SEARCHER_ (or AFTERIMAGE_, where workers must agree)."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from services.searcher.effort import EffortPolicy
from services.searcher.shard_numbers import name_of, read_shards
from shared.encoders.settings import ExtractionSettings
from shared.index.sealed.segment import EXPANSION_SEARCH
from shared.replication.store.segment_settings import SegmentSettings
from shared.runtime.process import process_name
from shared.runtime.settings import from_environment


class SearcherSettings(SegmentSettings, ExtractionSettings):
    model_config = from_environment("SEARCHER_")

    http_port: int = Field(default=8083, ge=1, le=65535, description="the port that they listen on")
    name: str = Field(
        default_factory=process_name,
        pattern=r"^[\w.-]{1,128}$",
        description="this searcher's name in replies and in `afterimage status`",
    )
    shards: Annotated[frozenset[int] | None, NoDecode] = Field(
        default=None,
        description="the shards that this searcher holds, such as 0-3,6; unset, all of them. Searchers of the same "
        "shards share the queries, and each query is answered by every group: docs/deployment.md",
    )
    session_timeout_ms: int = Field(
        default=10_000,
        ge=6_000,
        le=1_800_000,
        description="milliseconds of silence after which Kafka gives a searcher's share of the queries to the others; "
        "one that is stopped in good order gives it up at once",
    )
    max_in_flight: int = Field(
        default=64, ge=1, le=10_000, description="queries under way at once; more are answered 'overloaded'"
    )
    remembered_images: int = Field(
        default=4096,
        ge=0,
        le=1_000_000,
        description="query images whose codes are kept, for when they are asked for again",
    )
    effort: int = Field(
        default=EXPANSION_SEARCH,
        ge=1,
        le=100_000,
        description="candidates that a search in a graph keeps in view at least; more find more of the nearest, "
        "and take longer",
    )
    effort_most: int = Field(
        default=8 * EXPANSION_SEARCH,
        ge=1,
        le=100_000,
        description="how far they may rise by themselves while searches find less than SEARCHER_RECALL_TARGET",
    )
    recall_target: float = Field(
        default=0.95, ge=0, lt=1, description="the share of the best hits that searches are to find"
    )
    recall_probe: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="the share of queries that are repeated exactly, in the background, to measure that; 0 for none",
    )
    timeout_ms: int = Field(
        default=10_000, ge=1, le=600_000, description="milliseconds for a query that names no deadline"
    )
    drain_s: float = Field(default=10.0, ge=0, le=600, description="seconds to finish what is under way when stopped")

    @field_validator("shards", mode="before")
    @classmethod
    def _read_shards(cls, value: object) -> object:
        return read_shards(value) if isinstance(value, str) else value

    @field_validator("effort_most")
    @classmethod
    def _no_less_than_the_least(cls, most: int, others: ValidationInfo) -> int:
        if most < (least := others.data.get("effort", 0)):
            raise ValueError(f"it must be SEARCHER_EFFORT, {least}, or more")
        return most

    @property
    def group(self) -> str:
        """The kind of worker whose consumer group it belongs to."""
        return "searcher" if self.shards is None else f"searcher.{name_of(self.shards)}"

    def effort_policy(self) -> EffortPolicy:
        return EffortPolicy(least=self.effort, most=self.effort_most, target=self.recall_target)
