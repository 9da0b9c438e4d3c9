"""The settings of a worker that turns images into codes, and what is built from them."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from shared.codes.code import Code
from shared.codes.registry import load_code
from shared.encoders.backend import Backend
from shared.encoders.device import configure_threads
from shared.encoders.encoder import Encoder
from shared.encoders.engine import ExtractionEngine, ExtractionPolicy
from shared.encoders.observer import ExtractionObserver
from shared.encoders.openvino_package import OpenVinoUnavailable
from shared.encoders.registry import load_encoder
from shared.imaging.policy import FetchPolicy
from shared.runtime.settings import BadSettings, ConsumerSettings

GPU_BATCH = 64
CPU_BATCH = 8
"""A CPU gains nothing from larger batches, and an image waits for all that are in its own."""
_BATCHES_IN_FLIGHT = 4


class ExtractionSettings(ConsumerSettings):
    """The encoder, its code, and what may be fetched: the same for all workers of a deployment."""

    encoder: str = Field(
        default="efficientnet_lite0",
        validation_alias="AFTERIMAGE_ENCODER",
        description="efficientnet_lite0, timm:MODEL or torchvision:MODEL",
    )
    encoder_weights: Path | None = Field(
        default=None,
        validation_alias="AFTERIMAGE_ENCODER_WEIGHTS",
        description="a file with the encoder's trained weights, .safetensors or .pth; nothing is downloaded",
    )
    code: str = Field(default="i8", validation_alias="AFTERIMAGE_CODE", description="how vectors are stored: i8 or f32")
    device: str = Field(default="auto", validation_alias="AFTERIMAGE_DEVICE", description="auto, cpu, cuda or cuda:N")
    backend: Backend = Field(
        default="auto",
        validation_alias="AFTERIMAGE_BACKEND",
        description="auto, torch or openvino, which computes on CPUs; auto prefers it there where it is installed",
    )
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
    threads: int = Field(
        default=max(1, os.cpu_count() or 1), ge=1, le=256, description="CPU threads for the model and for decoding"
    )
    max_batch: int | None = Field(
        default=None, ge=1, le=1024, description="most images in one run of the model; 8 on a CPU, 64 on a GPU"
    )

    @field_validator("file_roots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("file_roots")
    @classmethod
    def _folders(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        for root in roots:
            if not root.is_dir():
                raise ValueError(f"{root} is not a folder that can be read")
        return roots

    def fetch_policy(self) -> FetchPolicy:
        return FetchPolicy(file_roots=self.file_roots, allow_private_addresses=self.fetch_private)


def load_models(settings: ExtractionSettings) -> tuple[Encoder, Code]:
    """Load the encoder and the code that the settings name; takes seconds. Raises BadSettings."""
    configure_threads(settings.threads)
    try:
        return (
            load_encoder(settings.encoder, settings.encoder_weights, settings.device, backend=settings.backend),
            load_code(settings.code),
        )
    except OpenVinoUnavailable as error:
        raise BadSettings(f"AFTERIMAGE_BACKEND={settings.backend!r} cannot be used: {error}") from error
    except (ValueError, OSError) as error:
        raise BadSettings(f"AFTERIMAGE_ENCODER={settings.encoder!r} cannot be used: {error}") from error


def make_engine(
    encoder: Encoder, code: Code, settings: ExtractionSettings, observer: ExtractionObserver
) -> ExtractionEngine:
    max_batch = settings.max_batch or (GPU_BATCH if encoder.device.type == "cuda" else CPU_BATCH)
    return ExtractionEngine(
        encoder,
        code,
        ExtractionPolicy(
            max_batch=max_batch,
            max_in_flight=_BATCHES_IN_FLIGHT * max_batch,
            decode_threads=settings.threads,
        ),
        observer=observer,
    )
