"""What a fitted code loses of the vectors themselves, before anything is searched for."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.codes.codewords import nearest_words, nearest_words_by_part, reconstructed
from shared.codes.fitted_file import FittedCode
from shared.codes.projection import project


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """distortion: the mean squared distance between what is quantized, of length 1, and what the code stands for.

    variance_kept: the share of the vectors' variance that the projection keeps, times the share of that which the
    quantizer keeps. Both are None for signs, which stand for no vector. Where halves rank, both are of the codewords.
    """

    distortion: float | None
    variance_kept: float | None


def loss_of(fitted: FittedCode, vectors: Tensor) -> Loss:
    """vectors: float32 (rows, dim), on the CPU; best such as the code was not fitted to, and more than one."""
    mean, matrix = (None if array is None else torch.from_numpy(array) for array in (fitted.mean, fitted.matrix))
    projected = project(vectors, mean, matrix)
    found = _decoded(fitted, projected)
    if found is None:
        return Loss(distortion=None, variance_kept=None)
    distortion = float((found - projected).square().sum(dim=1).mean())
    kept = 1.0 if matrix is None else _kept_by(matrix, vectors)
    return Loss(distortion=distortion, variance_kept=kept * (1 - distortion / max(_variance(projected), 1e-30)))


def _decoded(fitted: FittedCode, projected: Tensor) -> Tensor | None:
    if fitted.codewords is not None:
        words = torch.from_numpy(np.ascontiguousarray(fitted.codewords))
        residual = fitted.recipe.kind == "vq"
        codes = (nearest_words if residual else nearest_words_by_part)(projected, words)
        return reconstructed(codes, words, residual=residual)
    if fitted.recipe.element == "i8":
        step = (fitted.clip or 1.0) / 127
        return (projected / step).round().clamp(-127, 127) * step
    if fitted.recipe.element == "b1":
        return None
    return projected.half().float() if fitted.recipe.element == "f16" else projected


def _kept_by(matrix: Tensor, vectors: Tensor) -> float:
    """The share of the variance that lies in the space of the matrix's rows."""
    basis = torch.linalg.qr(matrix.T).Q
    return _variance(vectors @ basis) / max(_variance(vectors), 1e-30)


def _variance(vectors: Tensor) -> float:
    return float((vectors - vectors.mean(dim=0)).square().sum(dim=1).mean())
