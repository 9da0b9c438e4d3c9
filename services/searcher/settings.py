"""What can be set, by environment variables that begin with SEARCHER_ (or AFTERIMAGE_, where workers must agree)."""

from pydantic import Field

from shared.encoders.settings import ExtractionSettings
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
    timeout_ms: int = Field(
        default=10_000, ge=1, le=600_000, description="milliseconds for a query that names no deadline"
    )
    drain_s: float = Field(default=10.0, ge=0, le=600, description="seconds to finish what is under way when stopped")
