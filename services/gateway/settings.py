"""What can be set, by environment variables that begin with GATEWAY_ (or AFTERIMAGE_, where workers must agree)."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from shared.access.key_file import BadKeyFile, read_keys
from shared.imaging.settings import ReachSettings
from shared.runtime.settings import WorkerSettings, from_environment

_ORIGIN = re.compile(r"https?://[^/\s,]+")


class GatewaySettings(ReachSettings, WorkerSettings):
    model_config = from_environment("GATEWAY_")

    http_host: str = Field(
        default="127.0.0.1",
        description="where the page and the API listen; on an address that others reach it takes GATEWAY_KEYS",
    )
    http_port: int = Field(default=8084, ge=1, le=65535, description="the port that they listen on")
    keys: Path | None = Field(
        default=None,
        description="the file of API keys, which `afterimage keys add` makes; without it none are asked for",
    )
    open: bool = Field(
        default=False,
        validate_default=True,
        description="true to let whoever reaches the gateway use all of it: where nobody else can, or something in "
        "front of it asks who they are",
    )
    hostnames: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="names that it answers to without keys, besides addresses and localhost, separated by commas: "
        "those of a proxy in front of it, or of its container. Others may be of a site that wants in by a browser",
    )
    max_in_flight: int = Field(
        default=128, ge=1, le=10_000, description="API requests under way at once; more are answered 503"
    )
    max_in_flight_each: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="those of one caller, which is a key, or an address where there are none; more are answered 429",
    )
    rate_per_s: float = Field(
        default=500,
        gt=0,
        le=1_000_000,
        description="API requests a second by one caller, each request of a batch counted; more are answered 429. "
        "Twice as many may come at once after a pause",
    )
    thumbnails: bool = Field(
        default=False,
        description="true to have hits come with small pictures: the gateway reads what their addresses lead to, as "
        "far as extractors may",
    )
    thumbnail_secret: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="16 characters or more, the same for all gateways, to take each other's links to thumbnails; by "
        "default each makes up its own at its start",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="other sites whose pages may use the API (CORS), as https://example.org, separated by commas",
    )

    @field_validator("keys")
    @classmethod
    def _can_be_read(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                read_keys(path)
            except BadKeyFile as error:
                raise ValueError(str(error)) from None
        return path

    @field_validator("open")
    @classmethod
    def _is_safe(cls, open_: bool, info: ValidationInfo) -> bool:
        host = info.data.get("http_host", "")
        if not open_ and info.data.get("keys") is None and not is_loopback(host):
            raise ValueError(
                f"others can reach GATEWAY_HTTP_HOST={host}, and could do as they like: name a file of keys in "
                "GATEWAY_KEYS, or set GATEWAY_OPEN"
            )
        return open_

    @field_validator("allowed_origins", "hostnames", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return tuple(filter(None, value.replace(" ", "").split(","))) if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, such as https://example.org")
        return value


def is_loopback(host: str) -> bool:
    """Whether nobody but processes of this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
