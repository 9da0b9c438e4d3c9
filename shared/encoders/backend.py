"""What computes an encoder: torch, or OpenVINO on CPUs."""

from importlib.util import find_spec
from typing import Literal

from shared.encoders.cnn import CnnEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.openvino_encoder import OpenVinoEncoder
from shared.encoders.openvino_package import OpenVinoUnavailable
from shared.runtime.logging import get_logger

log = get_logger(__name__)

Backend = Literal["auto", "torch", "openvino"]
"""`auto` is OpenVINO on a CPU where it is installed and can run the model, else torch."""


def on_backend(backend: Backend, reference: CnnEncoder) -> Encoder:
    """Return the encoder as that backend computes it: the same weights, the same vectors up to rounding.

    Raises OpenVinoUnavailable when OpenVINO was asked for by name and cannot run this encoder.
    """
    if backend == "torch":
        return reference
    if backend == "auto" and (reference.device.type != "cpu" or find_spec("openvino") is None):
        return reference
    try:
        return OpenVinoEncoder(reference)
    except OpenVinoUnavailable as error:
        if backend == "openvino":
            raise
        log.warning("openvino_unavailable", encoder=reference.name, reason=str(error), backend=reference.backend)
        return reference
