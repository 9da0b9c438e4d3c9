"""What can be set, by environment variables that begin with EXTRACTOR_ (or AFTERIMAGE_, where workers must agree)."""

from pydantic import Field

from shared.encoders.settings import ExtractionSettings
from shared.runtime.settings import from_environment


class ExtractorSettings(ExtractionSettings):
    model_config = from_environment("EXTRACTOR_")

    http_port: int = Field(default=8081, ge=1, le=65535, description="the port that they listen on")
    max_in_flight: int = Field(default=128, ge=1, le=10_000, description="most events under way at once")
    drain_s: float = Field(default=15.0, ge=0, le=600, description="seconds to finish what is under way when stopped")
