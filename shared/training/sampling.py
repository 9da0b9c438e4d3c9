"""Which pictures, and which views of them, stand together in a batch."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One place for each embedding."""

    rows: Tensor
    """int64, (batch): which picture."""
    views: Tensor
    """int64, (batch): which view of it."""


def some_of_each_class(
    rows: Tensor, labels: Tensor, views: int, *, batch: int, of_each: int, batches: int, generator: torch.Generator
) -> list[Batch]:
    """Draw classes by the root of their size, so that large ones do not drown the others, then two views of pictures.

    rows, labels: of the pictures that are learned from. of_each: an even number, places for each class drawn.
    """
    classes, counts = torch.unique(labels, return_counts=True)
    members = [rows[labels == label] for label in classes]
    made = []
    for _ in range(batches):
        chosen = torch.multinomial(counts.double().sqrt(), max(2, batch // of_each), True, generator=generator).tolist()
        pictures = [torch.randint(len(members[label]), (of_each // 2,), generator=generator) for label in chosen]
        drawn = torch.cat([members[label][place] for label, place in zip(chosen, pictures, strict=True)])
        made.append(_two_views(drawn, views, generator))
    return made


def pairs_of_views(rows: Tensor, views: int, batch: int, generator: torch.Generator) -> list[Batch]:
    """Put every picture into one batch, with two of its views."""
    order = rows[torch.randperm(len(rows), generator=generator)]
    parts = torch.split(order, max(2, batch // 2))
    return [_two_views(part, views, generator) for part in reversed(parts)]  # the last one may be small


def _two_views(rows: Tensor, views: int, generator: torch.Generator) -> Batch:
    first = torch.randint(views, (len(rows),), generator=generator)
    second = (first + torch.randint(1, views, (len(rows),), generator=generator)) % views
    return Batch(rows=rows.repeat(2), views=torch.cat([first, second]))
