"""Rotations that make quantizing lose less."""

from typing import NamedTuple

import torch
from torch import Tensor

from shared.codes.codewords import nearest, reconstructed
from shared.codes.fitting.kmeans import kmeans, means
from shared.codes.fitting.principal import principal_components
from shared.codes.fitting.progress import OnStep
from shared.codes.recipe import WORDS

_OPQ_STEPS = 20
_FIRST_ITERATIONS = 4
_ITQ_STEPS = 50


class Rotated(NamedTuple):
    """rotation: float32 (dim, dim). codewords: float32 (parts, words, length), of the vectors when they are rotated."""

    rotation: Tensor
    codewords: Tensor


def optimized_rotation(vectors: Tensor, parts: int, generator: torch.Generator, on_step: OnStep) -> Rotated:
    """Optimized product quantization (Ge, He, Ke & Sun 2013): find R, float32 (dim, dim), for vectors @ R.T.

    Starts from the parametric solution (section 3.2: principal components, dealt out so that all parts have about the
    same product of variances), or from none where that loses less, and then takes turns (section 3.1): the nearest
    codewords and their means for the rotation, and the rotation that brings the vectors nearest to their codewords, by
    the orthogonal Procrustes problem. The codewords go on from those of the turn before, which lie close.
    """
    none = torch.eye(vectors.shape[1], device=vectors.device)
    starts = [_started(rotation, vectors, parts, generator) for rotation in (none, _balanced(vectors, parts))]
    now = min(starts, key=lambda start: _turn(start, vectors).error)
    for done in range(_OPQ_STEPS):
        turn = _turn(now, vectors)
        now = Rotated(_procrustes(vectors, turn.target).T, turn.codewords)
        on_step("rotation", done + 1, _OPQ_STEPS)
    return now


def _started(rotation: Tensor, vectors: Tensor, parts: int, generator: torch.Generator) -> Rotated:
    by_part = _by_part(vectors @ rotation.T, parts)
    return Rotated(rotation, kmeans(by_part, WORDS, generator, iterations=_FIRST_ITERATIONS))


class _Turn(NamedTuple):
    """codewords: moved to the means of their vectors. target: float32 (rows, dim), what they make of the vectors.

    error: the mean square of the difference.
    """

    codewords: Tensor
    target: Tensor
    error: float


def _turn(now: Rotated, vectors: Tensor) -> _Turn:
    rotated = vectors @ now.rotation.T
    by_part = _by_part(rotated, len(now.codewords))
    chosen = nearest(by_part, now.codewords)
    codewords = means(by_part, chosen, now.codewords)
    target = reconstructed(chosen.T, codewords, residual=False)
    return _Turn(codewords, target, float((target - rotated).square().mean()))


def _by_part(vectors: Tensor, parts: int) -> Tensor:
    return vectors.view(len(vectors), parts, -1).transpose(0, 1)


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
