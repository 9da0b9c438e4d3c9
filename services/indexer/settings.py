"""What can be set, by environment variables that begin with INDEXER_ (or AFTERIMAGE_, where workers must agree)."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.replication.store.segment_settings import SegmentSettings
from shared.runtime.durations import duration_ms
from shared.runtime.settings import ConsumerSettings, from_environment


class IndexerSettings(SegmentSettings, ConsumerSettings):
    model_config = from_environment("INDEXER_")

    http_port: int = Field(default=8082, ge=1, le=65535, description="the port that they listen on")
    max_batch: int = Field(default=512, ge=1, le=10_000, description="most operations in one append to the log")
    log_window: int = Field(
        default=100_000, ge=1_000, description="offsets that the log in Redis keeps for replicas to catch up from"
    )
    seal_rows: int = Field(
        default=20_000, ge=1, le=10_000_000, description="images that a shard gains before it seals a segment of them"
    )
    retention: Annotated[int, BeforeValidator(duration_ms)] | None = Field(
        default=None,
        description="how long images are kept, by their occurred_at: a number and s, m, h, d or w, such as 30d; unset, "
        "for ever",
    )
    code: str = Field(
        default="i8",
        validation_alias="AFTERIMAGE_CODE",
        description="how vectors are stored: i8, f16, f32, or the path of a code that `afterimage fit-code` has made",
    )
