"""Where segments are kept."""

from pydantic import Field
from pydantic_settings import BaseSettings


class StoreSettings(BaseSettings):
    segment_store: str | None = Field(
        default=None,
        validation_alias="AFTERIMAGE_SEGMENT_STORE",
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?|/.*)$",
        description="where segments are kept: an absolute path, or s3://bucket/prefix; unset, shards stay in memory",
    )
