"""Search over several shards: each gives its nearest, the nearest of all are kept."""

import heapq
from collections.abc import Mapping
from itertools import islice

from shared.index.filters.condition import Condition
from shared.index.segment import Match
from shared.index.shard import Shard, rank


def search_shards(
    shards: Mapping[int, Shard],
    code: bytes,
    k: int,
    *,
    min_score: float | None = None,
    condition: Condition | None = None,
) -> list[tuple[int, Match]]:
    """The `k` images nearest to `code` that the condition holds for, of all shards, as (shard, match).

    Best first, equal scores by id.

    Raises ValueError where the code is not as long as those in the index.
    """
    ranked = [
        [(number, match) for match in shard.search(code, k, min_score=min_score, condition=condition)]
        for number, shard in shards.items()
    ]
    return list(islice(heapq.merge(*ranked, key=lambda found: rank(found[1])), k))


def code_of(shards: Mapping[int, Shard], image_id: str) -> bytes | None:
    """The code of an indexed image; None where no shard holds it."""
    return next((shard.code_of(image_id) for shard in shards.values() if image_id in shard), None)
