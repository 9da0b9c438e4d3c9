"""The file of a fitted code: what was learned from vectors, and which encoder they came from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from shared.codes.recipe import WORDS, Recipe

Floats = npt.NDArray[np.float32]

_KEY = "afterimage"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderIdentity:
    """Whose vectors a code was fitted to. preprocessing: the fields of the encoder's own."""

    name: str
    weights_sha256: str
    precision: str
    preprocessing: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCode:
    """What is known after fitting.

    dim: of the vectors. mean: float32 (dim,), matrix: float32 (coded, dim): what is quantized is matrix @ (x - mean),
    scaled to length 1; where they are None, x is. codewords: float32 (words, 256, coded / words) for pq and opq, each
    for its own part of the vector; (words, 256, coded) for vq, whose codewords are added. clip: the number that the
    code i8 stores as 127.
    """

    recipe: Recipe
    dim: int
    encoder: EncoderIdentity | None = None
    mean: Floats | None = None
    matrix: Floats | None = None
    codewords: Floats | None = None
    clip: float | None = None

    def __post_init__(self) -> None:
        coded = self.recipe.coded_dim(self.dim)
        shapes = {
            "mean": (self.mean, (self.dim,)),
            "matrix": (self.matrix, (coded, self.dim)),
            "codewords": (self.codewords, (self.recipe.words, WORDS, self._word_length(coded))),
        }
        for name, (array, shape) in shapes.items():
            if array is not None and (array.shape != shape or not np.isfinite(array).all()):
                raise ValueError(f"{name} must be finite and have shape {shape}, and has {array.shape}")
        wanted = {
            "matrix": self.recipe.projection is not None or self.recipe.kind in ("opq", "itq"),
            "codewords": self.recipe.words > 0,
        }
        for name, needed in wanted.items():
            if (getattr(self, name) is not None) != needed:
                raise ValueError(f"{name} is {'missing' if needed else 'too many'} for {self.recipe}")
        if coded != self.dim and self.matrix is None:
            raise ValueError(f"matrix is missing for {self.recipe}")

    def _word_length(self, coded: int) -> int:
        return coded if self.recipe.kind == "vq" else coded // max(1, self.recipe.words)


def pack(code: FittedCode) -> bytes:
    """Return the content of the file. The same code gives the same bytes."""
    known: dict[str, Any] = {"kind": "code", "v": _VERSION, "recipe": str(code.recipe), "dim": code.dim}
    if code.encoder is not None:
        known |= {
            "encoder": code.encoder.name,
            "encoder_weights_sha256": code.encoder.weights_sha256,
            "precision": code.encoder.precision,
            "preprocessing": dict(code.encoder.preprocessing),
        }
    arrays = {"mean": code.mean, "matrix": code.matrix, "codewords": code.codewords}
    if code.clip is not None:
        arrays["clip"] = np.array([code.clip], np.float32)
    tensors = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items() if array is not None}
    if not tensors:  # a file of this format holds at least one
        tensors["nothing"] = np.zeros(1, np.float32)
    return safetensors.numpy.save(tensors, metadata={_KEY: json.dumps(known, sort_keys=True)})


def read_fitted(path: Path) -> tuple[FittedCode, str]:
    """Return the code in a file, and the file's SHA-256 in hex. Raises ValueError that names the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the code {path} cannot be read: {error}") from error
    try:
        return _parse(content), hashlib.sha256(content).hexdigest()
    except (KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"the file {path} holds no code that `afterimage fit-code` has made: {error}") from error


def _parse(content: bytes) -> FittedCode:
    known = json.loads(_metadata(content)[_KEY])
    if (known["kind"], known["v"]) != ("code", _VERSION):
        raise ValueError(f"it holds a {known['kind']} of version {known['v']}")
    tensors = safetensors.numpy.load(content)
    for name, array in tensors.items():
        if array.dtype != np.float32:
            raise ValueError(f"{name} holds {array.dtype} and not float32")
    encoder = None
    if "encoder" in known:
        encoder = EncoderIdentity(
            name=str(known["encoder"]),
            weights_sha256=str(known["encoder_weights_sha256"]),
            precision=str(known["precision"]),
            preprocessing=dict(known["preprocessing"]),
        )
    return FittedCode(
        recipe=Recipe.parse(str(known["recipe"])),
        dim=int(known["dim"]),
        encoder=encoder,
        mean=tensors.get("mean"),
        matrix=tensors.get("matrix"),
        codewords=tensors.get("codewords"),
        clip=float(tensors["clip"][0]) if "clip" in tensors else None,
    )


def _metadata(content: bytes) -> Mapping[str, str]:
    """Safetensors reads the metadata of files alone; here it must be of the bytes that were hashed."""
    size = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + size])
    return dict(header.get("__metadata__") or {})
