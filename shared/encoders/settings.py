"""The settings of whoever turns images into codes."""

import os
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from shared.encoders.backends.backend import Backend
from shared.encoders.precision import Precision
from shared.imaging.guard import ImageLimits
from shared.imaging.policy import FetchPolicy
from shared.imaging.settings import ReachSettings
from shared.runtime.settings import ConsumerSettings, LogSettings

_LARGEST_FILE = ImageLimits().max_bytes


class EncodingSettings(LogSettings):
    """The encoder and its code: the same for all workers of a deployment; and how much they compute at once."""

    encoder: str = Field(
        default="efficientnet_lite0",
        validation_alias="AFTERIMAGE_ENCODER",
        description="efficientnet_lite0, rnn, gan, bigan, cnn_head, timm:MODEL, torchvision:MODEL or clip:MODEL, "
        "with options such as ?pool=gem, or several, fused: 0.7*A+0.3*B",
    )
    encoder_weights: Path | None = Field(
        default=None,
        validation_alias="AFTERIMAGE_ENCODER_WEIGHTS",
        description="a file with the encoder's trained weights, .safetensors or .pth; nothing is downloaded",
    )
    encoder_weights_sha256: str | None = Field(
        default=None,
        validation_alias="AFTERIMAGE_ENCODER_WEIGHTS_SHA256",
        pattern=r"^[0-9A-Fa-f]{64}$",
        description="the SHA-256 that this file must have, as 64 hex digits; `afterimage models FILE` prints it",
    )
    code: str = Field(
        default="i8",
        validation_alias="AFTERIMAGE_CODE",
        description="how vectors are stored: i8, f16, f32, or the path of a code that `afterimage fit-code` has made",
    )
    device: str = Field(default="auto", validation_alias="AFTERIMAGE_DEVICE", description="auto, cpu, cuda or cuda:N")
    backend: Backend = Field(
        default="auto",
        validation_alias="AFTERIMAGE_BACKEND",
        description="auto, torch or openvino, which computes on CPUs; auto prefers it there where it is installed",
    )
    compiled: bool = Field(
        default=False,
        validation_alias="AFTERIMAGE_COMPILE",
        description="true to run the model by torch.compile, with the backend torch; the start takes minutes",
    )
    precision: Precision = Field(
        default="exact",
        validation_alias="AFTERIMAGE_PRECISION",
        description="exact (float32) or fast (what each host computes fastest in); one index has one of them",
    )
    gpu_decode: bool = Field(
        default=False,
        validation_alias="AFTERIMAGE_GPU_DECODE",
        description="true to decode JPEGs on CUDA, in the worker's own process; where all producers are trusted",
    )
    threads: int = Field(
        default=max(1, os.cpu_count() or 1), ge=1, le=256, description="CPU threads for the model and for decoding"
    )
    max_batch: int | None = Field(
        default=None, ge=1, le=1024, description="most images in one run of the model; 8 on a CPU, 64 on a GPU"
    )
    max_wait_ms: float | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="milliseconds that an idle model waits for images that are being decoded; 0 on a CPU, 5 on a GPU",
    )

    @field_validator("compiled")
    @classmethod
    def _by_torch(cls, compiled: bool, others: ValidationInfo) -> bool:
        if compiled and others.data.get("backend") == "openvino":
            raise ValueError(
                "torch.compile is not for AFTERIMAGE_BACKEND=openvino; use torch or auto, which is torch then"
            )
        return compiled


class ExtractionSettings(ReachSettings, EncodingSettings, ConsumerSettings):
    """And what a worker may fetch."""

    fetch_max_bytes: int = Field(
        default=_LARGEST_FILE,
        ge=1,
        le=_LARGEST_FILE,
        validation_alias="AFTERIMAGE_FETCH_MAX_BYTES",
        description="the largest file that is fetched, in bytes",
    )
    fetch_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=300,
        validation_alias="AFTERIMAGE_FETCH_TIMEOUT_S",
        description="seconds for one attempt to fetch, to the last byte",
    )
    fetch_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        validation_alias="AFTERIMAGE_FETCH_ATTEMPTS",
        description="attempts to fetch what fails in a way that may pass",
    )

    def fetch_policy(self) -> FetchPolicy:
        return FetchPolicy(
            file_roots=self.file_roots,
            allow_private_addresses=self.fetch_private,
            max_bytes=self.fetch_max_bytes,
            timeout_s=self.fetch_timeout_s,
            attempts=self.fetch_attempts,
        )
