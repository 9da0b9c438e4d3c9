"""Weights: where they come from, what they are, and whether they fit."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

_LISTED = 5


@dataclass(frozen=True, slots=True)
class Weights:
    """Named tensors and the hash that identifies them."""

    tensors: Mapping[str, Tensor]
    sha256: str


def read_weights(path: Path, *, sha256: str | None = None) -> Weights:
    """Read a .safetensors file, or a PyTorch checkpoint from which nothing but tensors is unpickled.

    sha256: what the file must have, in hex; a file that has another one is not parsed at all.
    Raises ValueError when the file cannot be read, is not the one that was pinned, or holds anything else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the weights file {path} cannot be read: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise ValueError(
            f"the weights file {path} has the SHA-256 {found}, and is pinned to {sha256.lower()}: "
            "it was damaged or replaced, and nothing of it was used"
        )
    try:
        if path.suffix == ".safetensors":
            tensors = safetensors.torch.load(content)
        else:
            tensors = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, safetensors.SafetensorError, UnpicklingError) as error:
        raise ValueError(f"the weights file {path} cannot be read as tensors: {error}") from error
    if not isinstance(tensors, Mapping) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ValueError(f"the weights file {path} must hold a state dict: names mapped to tensors, and nothing else")
    return Weights(tensors, found)


def random_weights(module: nn.Module) -> Weights:
    """Return the weights that the module was initialised with: for tests, where no features are needed."""
    tensors = module.state_dict()
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return Weights(tensors, digest.hexdigest())


def load_features(module: nn.Module, weights: Weights, *, classifier: tuple[str, ...]) -> None:
    """Load weights into a module that has lost its classifier.

    Every tensor of the module must be given in its shape, and nothing may be left over
    except the layers named in `classifier`. Raises ValueError that lists what does not fit.
    """
    wanted = module.state_dict()
    prefixes = tuple(f"{name}." for name in classifier)
    given = {name: tensor for name, tensor in weights.tensors.items() if not name.startswith(prefixes)}
    problems = [f"{name} is missing" for name in wanted.keys() - given.keys()]
    problems += [f"{name} is not part of the model" for name in given.keys() - wanted.keys()]
    problems += [
        f"{name} has shape {tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & given.keys()
        if given[name].shape != wanted[name].shape
    ]
    if problems:
        more = f", and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        raise ValueError(f"the weights do not fit this model: {', '.join(sorted(problems)[:_LISTED])}{more}")
    module.load_state_dict(given)
