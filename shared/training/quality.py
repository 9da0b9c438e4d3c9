"""How well embeddings find what belongs together, on the pictures that were held out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Between 0 and 1; means over the classes of the means over their pictures, so that no class counts for more."""

    recall_at_1: float
    """How often the nearest one is right."""
    mean_average_precision: float


def among_classes(vectors: Tensor, labels: Tensor) -> Quality:
    """Let each vector search all others for those of its class. vectors: (count, dim); labels: (count)."""
    others = ~torch.eye(len(vectors), dtype=torch.bool)
    return _ranked(vectors, vectors, (labels[:, None] == labels[None]) & others, others, labels)


def of_views(vectors: Tensor, views: Tensor) -> Quality:
    """Let a changed view of each picture search all pictures for its own: what nothing says the class of."""
    own = torch.eye(len(vectors), dtype=torch.bool)
    return _ranked(views, vectors, own, torch.ones_like(own), torch.arange(len(vectors)))


def _ranked(queries: Tensor, index: Tensor, relevant: Tensor, candidates: Tensor, groups: Tensor) -> Quality:
    """Average precision is the mean of the precision at the rank of each relevant one (Manning et al. 2008, 8.4)."""
    queries, index = (nn.functional.normalize(vectors.double()) for vectors in (queries, index))
    similarity = (queries @ index.T).masked_fill(~candidates, -2)
    order = similarity.argsort(dim=1, descending=True, stable=True)
    found = relevant.gather(1, order).double()
    answered = found.any(dim=1)
    if not answered.any():
        return Quality(recall_at_1=0.0, mean_average_precision=0.0)
    found, groups = found[answered], groups[answered]
    precision = found.cumsum(dim=1) / torch.arange(1, found.shape[1] + 1)
    average = (precision * found).sum(dim=1) / found.sum(dim=1)
    recall, mean = _mean_of_means(found[:, 0], groups), _mean_of_means(average, groups)
    return Quality(recall_at_1=recall, mean_average_precision=mean)


def _mean_of_means(values: Tensor, groups: Tensor) -> float:
    _, group = torch.unique(groups, return_inverse=True)
    sums = torch.zeros(int(group.max()) + 1, dtype=values.dtype).index_add_(0, group, values)
    return (sums / torch.bincount(group)).mean().item()
