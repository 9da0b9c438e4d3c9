"""Rotations that make quantizing lose less."""

from typing import NamedTuple

import torch
from torch import Tensor

from shared.codes.codewords import nearest_words_by_part, reconstructed
from shared.codes.fitting.kmeans import kmeans
from shared.codes.fitting.principal import principal_components
from shared.codes.fitting.progress import OnStep
from shared.codes.recipe import WORDS

_OPQ_STEPS = 30
_FIRST_ITERATIONS = 10
_ITERATIONS = 3
_ITQ_STEPS = 50


def optimized_rotation(vectors: Tensor, parts: int, generator: torch.Generator, on_step: OnStep) -> Tensor:
    """Optimized product quantization (Ge, He, Ke & Sun 2013): return R, float32 (dim, dim), for vectors @ R.T.

    Starts from the parametric solution (section 3.2: principal components, dealt out so that all parts have about the
    same product of variances), or from none where that loses less, and then takes turns (section 3.1): codewords for
    the rotation, and the rotation that brings the vectors nearest to their codewords, by the orthogonal Procrustes
    problem.
    """
    none = torch.eye(vectors.shape[1], device=vectors.device)
    starts = [_Rotated.by(rotation, vectors, parts, generator) for rotation in (none, _balanced(vectors, parts))]
    now = min(starts, key=lambda start: start.error)
    for done in range(_OPQ_STEPS):
        now = _Rotated.by(_procrustes(vectors, now.target).T, vectors, parts, generator, start=now.codewords)
        on_step("rotation", done + 1, _OPQ_STEPS)
    return now.rotation


class _Rotated(NamedTuple):
    """target: the vectors that codewords make of the rotated ones. error: the mean square of the difference."""

    rotation: Tensor
    codewords: Tensor
    target: Tensor
    error: float

    @classmethod
    def by(
        cls, rotation: Tensor, vectors: Tensor, parts: int, generator: torch.Generator, *, start: Tensor | None = None
    ) -> "_Rotated":
        """start: codewords of a rotation not far from this one."""
        rotated = vectors @ rotation.T
        by_part = rotated.view(len(vectors), parts, -1).transpose(0, 1)
        iterations = _FIRST_ITERATIONS if start is None else _ITERATIONS
        codewords = kmeans(by_part, WORDS, generator, iterations=iterations, start=start)
        target = reconstructed(nearest_words_by_part(rotated, codewords), codewords, residual=False)
        return cls(rotation, codewords, target, float((target - rotated).square().mean()))


def binary_rotation(vectors: Tensor, generator: torch.Generator, on_step: OnStep) -> Tensor:
    """Iterative quantization (Gong & Lazebnik 2011): return R, float32 (dim, dim), for the signs of vectors @ R.T.

    vectors: centred, float32 (rows, dim). Takes turns between the signs for the rotation, and the rotation that brings
    the vectors nearest to their signs; starts from a random one.
    """
    dim = vectors.shape[1]
    noise = torch.randn(dim, dim, generator=generator).to(vectors.device)
    rotation: Tensor = torch.linalg.qr(noise).Q
    for done in range(_ITQ_STEPS):
        signs = torch.where(vectors @ rotation > 0, 1.0, -1.0)
        rotation = _procrustes(vectors, signs)
        on_step("rotation", done + 1, _ITQ_STEPS)
    return rotation.T


def _procrustes(vectors: Tensor, target: Tensor) -> Tensor:
    """Return the orthogonal Q that brings vectors @ Q nearest to the target (Schönemann 1966)."""
    left, _, right = torch.linalg.svd(vectors.T @ target)
    nearest: Tensor = left @ right
    return nearest


def _balanced(vectors: Tensor, parts: int) -> Tensor:
    """Deal out the principal components, that of the largest variance first, each to the part with the least so far."""
    components = principal_components(vectors)
    length = vectors.shape[1] // parts
    dealt: list[list[int]] = [[] for _ in range(parts)]
    logs = [0.0] * parts
    least = float(components.variances[0].clamp_min(1e-30)) * 1e-12
    for axis, variance in enumerate(components.variances.clamp_min(least).log().tolist()):
        part = min((part for part in range(parts) if len(dealt[part]) < length), key=lambda part: logs[part])
        dealt[part].append(axis)
        logs[part] += variance
    return components.axes[[axis for axes in dealt for axis in axes]]
