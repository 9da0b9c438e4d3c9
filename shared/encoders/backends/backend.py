"""What computes an encoder: torch, or OpenVINO on CPUs; and in which numbers."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Literal

import torch

from shared.encoders.backends.openvino_encoder import agreeing, converted
from shared.encoders.backends.openvino_package import OpenVinoUnavailable
from shared.encoders.backends.probes import EncoderDiffers, check_agreement, images_per_s
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.precision import NumberFormat
from shared.runtime.logging import get_logger

log = get_logger(__name__)

Backend = Literal["auto", "torch", "openvino"]
"""`auto` is OpenVINO on a CPU where it is installed and can run the model, else torch."""


def on_backend(backend: Backend, reference: CnnEncoder) -> Encoder:
    """Return the encoder as that backend computes it, in the format that is fastest here if the precision is `fast`.

    Takes seconds. Raises OpenVinoUnavailable when OpenVINO was asked for by name and cannot run this encoder.
    """
    if backend == "torch":
        return _fastest(_on_torch(reference))
    if backend == "auto" and (reference.device.type != "cpu" or find_spec("openvino") is None):
        return _fastest(_on_torch(reference))
    try:
        return _fastest(_on_openvino(reference))
    except OpenVinoUnavailable as error:
        if backend == "openvino":
            raise
        log.warning("openvino_unavailable", encoder=reference.name, reason=str(error), backend=reference.backend)
        return _fastest(_on_torch(reference))


def _on_torch(reference: CnnEncoder) -> Iterator[Encoder]:
    yield reference
    if reference.precision == "exact":
        return
    for number_format in torch_half_formats(reference.device):
        encoder = reference.computing_in(number_format)
        try:
            check_agreement(reference, encoder)
        except (EncoderDiffers, RuntimeError) as error:  # some operations have no half precision
            _warn(reference, number_format, error)
        else:
            yield encoder


def _on_openvino(reference: CnnEncoder) -> Iterator[Encoder]:
    network = converted(reference)
    yield agreeing(reference, network)
    if reference.precision == "exact":
        return
    for number_format in network.half_formats():
        try:
            encoder = agreeing(reference, network, number_format)
        except OpenVinoUnavailable as error:
            _warn(reference, number_format, error)
        else:
            yield encoder


def torch_half_formats(device: torch.device) -> list[NumberFormat]:
    """Return the half precisions in which it is worth trying torch. On old CPUs it would imitate bfloat16, slowly."""
    if device.type == "cuda":
        return ["bf16", "f16"] if torch.cuda.is_bf16_supported(including_emulation=False) else ["f16"]
    return ["bf16"] if torch.cpu.get_capabilities().get("avx512_bf16") else []


def _fastest(encoders: Iterable[Encoder]) -> Encoder:
    """Measure where there is a choice, and log what was seen."""
    candidates = list(encoders)
    if len(candidates) == 1:
        return candidates[0]
    rates = {encoder.number_format: images_per_s(encoder) for encoder in candidates}
    chosen = max(candidates, key=lambda encoder: rates[encoder.number_format])
    log.info(
        "number_format_chosen",
        encoder=chosen.name,
        backend=chosen.backend,
        number_format=chosen.number_format,
        **{f"images_per_s_{name}": round(rate, 1) for name, rate in rates.items()},
    )
    return chosen


def _warn(reference: CnnEncoder, number_format: NumberFormat, error: Exception) -> None:
    log.warning("number_format_unavailable", encoder=reference.name, number_format=number_format, reason=str(error))
