"""Weights: where they come from, what they are, and whether they fit."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

SUFFIXES = frozenset({".safetensors", ".pth", ".pt", ".bin"})
"""What weights files are called. A `.safetensors` file is read as such, any other as a PyTorch checkpoint."""

Shapes = Mapping[str, tuple[int, ...]]

_LISTED = 5

Value = TypeVar("Value")


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
    content, found = read_pinned(path, sha256)
    with _parsing(path):
        if path.suffix == ".safetensors":
            tensors = safetensors.torch.load(content)
        else:
            tensors = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    return Weights(_state_dict(path, tensors), found)


def read_pinned(path: Path, sha256: str | None) -> tuple[bytes, str]:
    """Return the content of a file and its SHA-256. Raises ValueError when it is not the one that was pinned."""
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
    return content, found


def read_shapes(path: Path) -> Shapes:
    """Tell the names and the shapes of the tensors in a file, and leave their values where they are.

    Raises ValueError when `read_weights` would.
    """
    with _parsing(path):
        if path.suffix == ".safetensors":
            with safetensors.safe_open(path, framework="pt") as file:
                return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
        tensors = torch.load(path, map_location="meta", weights_only=True)
    return shapes_of(_state_dict(path, tensors))


def sha256_of(path: Path) -> str:
    """Return the hash of a file in hex, whatever its size. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    try:
        yield
    except UnpicklingError as error:  # its own text advises to run what is in the file
        raise ValueError(f"the weights file {path} is damaged, or holds something else than tensors") from error
    except (OSError, RuntimeError, EOFError, safetensors.SafetensorError) as error:
        raise ValueError(f"the weights file {path} cannot be read as tensors: {error}") from error


def _state_dict(path: Path, content: object) -> Mapping[str, Tensor]:
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError(f"the weights file {path} must hold a state dict: names mapped to tensors, and nothing else")
    return content


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
    given = without(classifier, weights.tensors)
    if problems := misfits(shapes_of(module.state_dict()), shapes_of(given)):
        more = f", and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        raise ValueError(f"the weights do not fit this model: {', '.join(sorted(problems)[:_LISTED])}{more}")
    module.load_state_dict(given)


def without(classifier: tuple[str, ...], named: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out what belongs to the layers of the classifier."""
    prefixes = tuple(f"{name}." for name in classifier)
    return {name: value for name, value in named.items() if not name.startswith(prefixes)}


def misfits(wanted: Shapes, given: Shapes) -> list[str]:
    """Say of each tensor that is missing, of another shape, or too many, that it is so."""
    return [
        *(f"{name} is missing" for name in wanted.keys() - given.keys()),
        *(f"{name} is not part of the model" for name in given.keys() - wanted.keys()),
        *(
            f"{name} has shape {given[name]} instead of {wanted[name]}"
            for name in wanted.keys() & given.keys()
            if given[name] != wanted[name]
        ),
    ]
