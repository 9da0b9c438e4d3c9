"""Search over several shards: each gives its nearest, the nearest of all are kept."""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice

from shared.index.filters.condition import Condition
from shared.index.segment import Match
from shared.index.shard import Shard, rank


def search_shards(
    shards: Mapping[int, Shard],
    codes: Sequence[bytes],
    k: int,
    *,
    min_score: float | None = None,
    condition: Condition | None = None,
    exclude: Collection[str] = (),
    exact: bool = False,
) -> list[list[tuple[int, Match]]]:
    """For each code the `k` nearest images of all shards, as (shard, match), best first, equal scores by id.

    The rest is as in `Shard.search_all`.
    """
    found = {
        number: shard.search_all(codes, k, min_score=min_score, condition=condition, exclude=exclude, exact=exact)
        for number, shard in shards.items()
    }
    return [
        list(islice(heapq.merge(*(_numbered(number, found[number][place]) for number in found), key=_rank), k))
        for place in range(len(codes))
    ]


def code_of(shards: Mapping[int, Shard], image_id: str) -> bytes | None:
    """The code of an indexed image; None where no shard holds it."""
    return next((shard.code_of(image_id) for shard in shards.values() if image_id in shard), None)


def _numbered(number: int, matches: Iterable[Match]) -> list[tuple[int, Match]]:
    return [(number, match) for match in matches]


def _rank(found: tuple[int, Match]) -> tuple[float, str]:
    return rank(found[1])
