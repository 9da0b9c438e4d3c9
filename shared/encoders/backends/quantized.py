"""The file of an int8 network: OpenVINO's form of it, and what must be known to use it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from shared.encoders.backends.openvino_conversion import OpenVinoNetwork
from shared.encoders.encoder import Described
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.precision import Precision
from shared.encoders.weights import read_pinned

_KEY = "afterimage.quantized"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedNetwork:
    """What the file holds. Its hash stands for the weights: int8 is a scheme of its own."""

    name: str
    weights_sha256: str
    preprocessing: Preprocessing
    dim: int
    network: OpenVinoNetwork
    precision: Precision = "exact"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def input_size(self) -> int:
        return self.preprocessing.crop


def is_quantized(path: Path) -> bool:
    """Tell whether a file is one of these, from its header."""
    if path.suffix != ".safetensors":
        return False
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return _KEY in (file.metadata() or {})
    except (OSError, safetensors.SafetensorError):
        return False  # whoever reads the weights will say what is wrong


def pack(of: Described, structure: bytes, constants: bytes) -> bytes:
    """Return the file of a network in OpenVINO's IR, the int8 form of that encoder."""
    known = {"encoder": of.name, "dim": of.dim, "preprocessing": asdict(of.preprocessing)}
    tensors = {"structure": _tensor(structure), "constants": _tensor(constants)}
    return safetensors.torch.save(tensors, metadata={_KEY: json.dumps(known, sort_keys=True)})


def read_quantized(path: Path, *, sha256: str | None = None) -> QuantizedNetwork:
    """Read such a file. Raises ValueError, also when OpenVINO is not there."""
    content, found = read_pinned(path, sha256)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            known: dict[str, Any] = json.loads(file.metadata()[_KEY])
        tensors = safetensors.torch.load(content)
        structure, constants = (tensors[name].numpy().tobytes() for name in ("structure", "constants"))
        preprocessing = _preprocessing(known["preprocessing"])
        name, dim = str(known["encoder"]), int(known["dim"])
    except (KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"the file {path} holds no int8 network that can be read: {error}") from error
    if preprocessing.revision != Preprocessing.__dataclass_fields__["revision"].default:
        raise ValueError(f"the file {path} was calibrated with another revision of the pixels; make it again")
    network = OpenVinoNetwork.read(structure, constants)
    return QuantizedNetwork(name=name, weights_sha256=found, preprocessing=preprocessing, dim=dim, network=network)


def _preprocessing(fields: dict[str, Any]) -> Preprocessing:
    return Preprocessing(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


def _tensor(content: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(content, dtype=np.uint8).copy())
