"""Queries to look at: the same ones under every scheme, and those that a scheme finds worst."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.cli.evaluation.classes import Evaluation
from services.cli.evaluation.copies import CopyEvaluation
from services.cli.pictures import Picture
from shared.evaluation.transforms import TRANSFORMS

_SHOWN = 6
_EXAMPLES = 4
_WORST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A picture with what is to be said of it. right: whether it was to be found; None of what was not searched for."""

    picture: Picture
    name: str
    note: str
    right: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What a scheme found for a query, best first. number: of the scheme, from 0. note: how good that is."""

    number: int
    query: Tile
    found: list[Tile]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """alike: for each query that was drawn, what every scheme found. worst: for each scheme, what it ranks worst."""

    alike: list[list[Ranking]]
    worst: list[list[Ranking]]


def of_classes(data: Path, evaluated: Evaluation) -> Examples:
    """Draw queries of as many classes as there is room for: the first of each, in the order that the seed drew."""
    pictures = evaluated.pictures
    queries = evaluated.results[0].judged.queries.tolist()
    drawn = list({pictures[row].label: place for place, row in reversed(list(enumerate(queries)))}.values())

    def ranking(number: int, place: int) -> Ranking:
        judged = evaluated.results[number].judged
        query = pictures[judged.queries[place]]
        found = [pictures[row] for row in judged.nearest[place, :_SHOWN].tolist()]
        return Ranking(
            number=number,
            query=Tile(picture=query.picture, name=_name(data, query.picture), note=query.label, right=None),
            found=[
                Tile(picture=one.picture, name=_name(data, one.picture), note=one.label, right=one.label == query.label)
                for one in found
            ],
            note=f"average precision {judged.quality.average_precision[place]:.3f}",
        )

    orders = [np.argsort(result.judged.quality.average_precision, kind="stable") for result in evaluated.results]
    return _examples(sorted(drawn)[:_EXAMPLES], [order[:_WORST].tolist() for order in orders], ranking)


def of_copies(data: Path, evaluated: CopyEvaluation) -> Examples:
    """Draw a copy of each transform, each of another picture where there are enough."""
    copies, pictures = evaluated.copies, evaluated.pictures
    copied = len(copies) // len(TRANSFORMS)
    drawn = [
        np.flatnonzero(evaluated.made_by(transform))[number % copied].item()
        for number, transform in enumerate(TRANSFORMS)
    ]

    def ranking(number: int, place: int) -> Ranking:
        found, copy = evaluated.results[number].found, copies[place]
        rank = int(found.ranks[place])
        tiles = [
            Tile(
                picture=pictures[row],
                name=_name(data, pictures[row]),
                note="the original" if row == found.originals[place] else "",
                right=bool(row == found.originals[place]),
            )
            for row in found.nearest[place, :_SHOWN].tolist()
        ]
        name = _name(data, copy.original)
        return Ranking(
            number=number,
            query=Tile(picture=copy.picture, name=name, note=copy.transform, right=None),
            found=tiles,
            note=f"the original stands at rank {rank} of {len(pictures)}",
        )

    orders = [np.argsort(-result.found.ranks, kind="stable") for result in evaluated.results]
    return _examples(drawn, [order[:_WORST].tolist() for order in orders], ranking)


def _examples(drawn: Sequence[int], worst: Sequence[Sequence[int]], ranking: Callable[[int, int], Ranking]) -> Examples:
    return Examples(
        alike=[[ranking(number, place) for number in range(len(worst))] for place in drawn],
        worst=[[ranking(number, place) for place in places] for number, places in enumerate(worst)],
    )


def _name(data: Path, picture: Picture) -> str:
    """The path below the data, in valid Unicode."""
    return Picture(str(Path(picture.path).relative_to(data))).name
