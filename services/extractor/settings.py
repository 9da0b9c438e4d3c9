"""What can be set, by environment variables that begin with EXTRACTOR_ (or AFTERIMAGE_, where workers must agree)."""

from pydantic import Field

from shared.encoders.settings import ExtractionSettings
from shared.runtime.settings import from_environment


class ExtractorSettings(ExtractionSettings):
    model_config = from_environment("EXTRACTOR_")

    http_port: int = Field(default=8081, ge=1, le=65535, description="the port that they listen on")
    max_in_flight: int = Field(default=128, ge=1, le=10_000, description="most events under way at once")
    max_fetched_mb: int = Field(
        default=256,
        ge=1,
        le=1_000_000,
        description="most MiB of fetched images that are held at once, until they are encoded",
    )
    cache_images: int = Field(
        default=20_000,
        ge=0,
        le=100_000_000,
        description="images whose codes Redis keeps, so that the same bytes are not encoded again; 0 for none",
    )
    drain_s: float = Field(default=15.0, ge=0, le=600, description="seconds to finish what is under way when stopped")
    max_consecutive_rejects: int = Field(
        default=500,
        ge=0,
        description="most uploads in a row that are rejected for what may be wrong here, such as a missing folder; "
        "one more stops the worker; 0 for no limit",
    )
    max_reject_ratio: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of such rejects in the last 2,000 uploads that stops the worker; 0 for no limit",
    )
