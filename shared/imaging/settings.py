"""What a worker may read of the addresses of images: all that fetch must agree."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode


class ReachSettings(BaseSettings):
    file_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        validation_alias="AFTERIMAGE_FILE_ROOTS",
        description=f"folders below which file:// may be read, separated by '{os.pathsep}'",
    )
    fetch_private: bool = Field(
        default=False,
        validation_alias="AFTERIMAGE_FETCH_PRIVATE",
        description="true to let http(s) reach private addresses, where all producers are trusted",
    )

    @field_validator("file_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("file_roots")
    @classmethod
    def _roots_are_folders(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        for root in roots:
            if not root.is_dir():
                raise ValueError(f"{root} is not a folder that can be read")
        return roots
