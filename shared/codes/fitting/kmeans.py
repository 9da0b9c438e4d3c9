"""k-means (Lloyd 1982), of many groups at once."""

import torch
from torch import Tensor

from shared.codes.codewords import nearest
from shared.codes.fitting.progress import OnStep, untold

ITERATIONS = 25
_APART = 1 / 1024
"""By how much the halves of a split cluster differ from it."""


def kmeans(
    points: Tensor,
    count: int,
    generator: torch.Generator,
    *,
    iterations: int = ITERATIONS,
    start: Tensor | None = None,
    what: str = "k-means",
    on_step: OnStep = untold,
) -> Tensor:
    """Return `count` centres for each group, float32 (groups, count, length).

    points: float32 (groups, rows, length). start: centres to go on from; points drawn at random where it is None. A
    cluster that loses all its points takes half of the largest. Raises ValueError for fewer points than centres.
    """
    if points.shape[1] < count:
        raise ValueError(
            f"{count} codewords need at least as many vectors to be fitted to, and there are {points.shape[1]}"
        )
    if start is None:
        drawn = torch.randperm(points.shape[1], generator=generator)[:count]
        start = points[:, drawn.to(points.device)]
    centres = start.clone()
    before = None
    for done in range(iterations):
        places = nearest(points, centres)
        if before is not None and torch.equal(places, before):  # all that is left would give the same centres
            on_step(what, iterations, iterations)
            break
        centres = means(points, places, centres)
        on_step(what, done + 1, iterations)
        before = places
    return centres


def means(points: Tensor, places: Tensor, centres: Tensor) -> Tensor:
    """Return the mean of the points of each centre, float32 as `centres`, (groups, count, length).

    points: float32 (groups, rows, length). places: int64 (groups, rows), each point's centre. A centre that has none
    takes half of the points of the largest.
    """
    groups, count, length = centres.shape
    places = (places + torch.arange(groups, device=centres.device)[:, None] * count).flatten()
    sums = torch.zeros(groups * count, length, dtype=centres.dtype, device=centres.device)
    sums.index_add_(0, places, points.reshape(-1, length))
    sizes = torch.bincount(places, minlength=groups * count)
    moved = (sums / sizes.clamp_min(1)[:, None]).view_as(centres)
    sizes = sizes.view(groups, count)
    for group, empty in (sizes == 0).nonzero().tolist():
        largest = int(sizes[group].argmax())
        moved[group, empty] = moved[group, largest] * (1 + _APART)
        moved[group, largest] *= 1 - _APART
        sizes[group, empty] = sizes[group, largest] // 2
        sizes[group, largest] -= sizes[group, empty]
    return moved
