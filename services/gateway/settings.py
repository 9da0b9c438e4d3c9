"""What can be set, by environment variables that begin with GATEWAY_ (or AFTERIMAGE_, where workers must agree)."""

from pydantic import Field

from shared.runtime.settings import WorkerSettings, from_environment


class GatewaySettings(WorkerSettings):
    model_config = from_environment("GATEWAY_")

    http_host: str = Field(
        default="127.0.0.1",
        description="where the page and the API listen; there are no keys yet, so whoever reaches it may use all of it",
    )
    http_port: int = Field(default=8084, ge=1, le=65535, description="the port that they listen on")
    max_in_flight: int = Field(
        default=128, ge=1, le=10_000, description="API requests under way at once; more are answered 503"
    )
