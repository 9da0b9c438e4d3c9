"""Codes that were fitted: a projection first, then what quantizes."""

import numpy as np
import torch
from torch import Tensor

from shared.codes.code import Code
from shared.codes.codewords import nearest_words, nearest_words_by_part
from shared.codes.f16 import F16
from shared.codes.f32 import F32
from shared.codes.fitted_file import FittedCode
from shared.codes.projection import project


def fitted_code(fitted: FittedCode, *, name: str) -> Code:
    return FittedVectors(fitted, name)


class FittedVectors:
    """Implements Code. What it has learned follows the vectors to their device."""

    def __init__(self, fitted: FittedCode, name: str) -> None:
        self.name = name
        self.metric: str = fitted.recipe.metric
        self.dtype: str = fitted.recipe.element
        self._fitted = fitted
        self._learned: dict[torch.device, _Learned] = {}

    def bytes_per_vector(self, dim: int) -> int:
        if dim != self._fitted.dim:
            raise ValueError(
                f"the code {self.name} was fitted to vectors of {self._fitted.dim} numbers, and the encoder gives {dim}"
            )
        return self._fitted.recipe.bytes_per_vector(dim)

    def encode(self, vectors: Tensor) -> Tensor:
        learned = self._on(vectors.device)
        return _QUANTIZE[self.dtype](learned, learned.project(vectors), self._fitted)

    def encode_queries(self, vectors: Tensor) -> Tensor:
        if self.dtype not in ("pq", "vq"):
            return self.encode(vectors)
        return self._on(vectors.device).project(vectors).contiguous()

    def _on(self, device: torch.device) -> "_Learned":
        if device not in self._learned:
            self._learned[device] = _Learned(self._fitted, device)
        return self._learned[device]


class _Learned:
    """The tensors of a code, on one device."""

    def __init__(self, fitted: FittedCode, device: torch.device) -> None:
        self._mean = _tensor(fitted.mean, device)
        self._matrix = _tensor(fitted.matrix, device)
        self.codewords = _tensor(fitted.codewords, device)

    def project(self, vectors: Tensor) -> Tensor:
        return project(vectors, self._mean, self._matrix)


def _tensor(array: np.ndarray | None, device: torch.device) -> Tensor | None:
    return None if array is None else torch.from_numpy(array.copy()).to(device)


def _f32(_learned: _Learned, projected: Tensor, _fitted: FittedCode) -> Tensor:
    return F32().encode(projected)


def _f16(_learned: _Learned, projected: Tensor, _fitted: FittedCode) -> Tensor:
    return F16().encode(projected)


def _i8(_learned: _Learned, projected: Tensor, fitted: FittedCode) -> Tensor:
    """round(127 v / clip), what lies beyond the clip cut off: one step size for all vectors, found by `fitting`."""
    clip = fitted.clip or 1.0
    return (projected * (127 / clip)).round().clamp(-127, 127).to(torch.int8)


def _b1(_learned: _Learned, projected: Tensor, _fitted: FittedCode) -> Tensor:
    """The signs, eight to a byte, the first in its highest bit, as `numpy.packbits` does."""
    bits = torch.nn.functional.pad(projected > 0, (0, -projected.shape[1] % 8)).view(len(projected), -1, 8)
    weights = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8, device=projected.device)
    return (bits * weights).sum(dim=2, dtype=torch.uint8)


def _pq(learned: _Learned, projected: Tensor, _fitted: FittedCode) -> Tensor:
    assert learned.codewords is not None  # noqa: S101 - FittedCode sees to it
    return nearest_words_by_part(projected, learned.codewords)


def _vq(learned: _Learned, projected: Tensor, _fitted: FittedCode) -> Tensor:
    assert learned.codewords is not None  # noqa: S101 - as above
    return nearest_words(projected, learned.codewords)


_QUANTIZE = {"f32": _f32, "f16": _f16, "i8": _i8, "b1": _b1, "pq": _pq, "vq": _vq}
