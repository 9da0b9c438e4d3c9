"""What the file of a trained encoder says of itself: its family, its architecture, and where it comes from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

_KEY = "afterimage"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedEncoder:
    """The metadata of a safetensors file that `afterimage train` has written, as JSON under the key `afterimage`."""

    family: str
    """The name that `load_encoder` takes."""
    architecture: Mapping[str, Any]
    """What the family needs to build the network."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """How many pictures and classes it was trained on, and how many were held out."""
    seed: int = 0
    command: str = ""
    quality: Mapping[str, float] = field(default_factory=dict)
    """Of the pictures that were held out, by the name of the measure."""


def write_trained(path: Path, tensors: Mapping[str, Tensor], described: TrainedEncoder) -> None:
    """Write the file, in the formats that the tensors have. Raises OSError."""
    document = {"kind": "encoder", "v": _VERSION, **asdict(described)}
    content = safetensors.torch.save(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        metadata={_KEY: json.dumps(document, sort_keys=True)},
    )
    path.write_bytes(content)


def read_description(path: Path) -> TrainedEncoder:
    """Read the metadata, and none of the weights. Raises ValueError when the file has none that can be read."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            document: dict[str, Any] = json.loads((file.metadata() or {})[_KEY])
        kind, version = document.pop("kind"), document.pop("v")
        described = TrainedEncoder(**document)
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(
            f"the file {path} does not say what `afterimage train` has made it for ({error}); "
            "give a file that it has written"
        ) from error
    if (kind, version) != ("encoder", _VERSION):
        raise ValueError(f"the file {path} is a {kind} of version {version}, and not an encoder of version {_VERSION}")
    return described


def trained_architecture(path: Path, family: str) -> Mapping[str, Any]:
    """Return the architecture of a file for that family. Raises ValueError when it is for another one."""
    described = read_description(path)
    if described.family != family:
        raise ValueError(f"the file {path} was trained for the encoder {described.family!r}, and not for {family!r}")
    return described.architecture
