"""Search over several shards: each gives its nearest, the nearest of all are kept."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from shared.index.nearest import rank
from shared.index.query import Query
from shared.index.segment import Match, SegmentSearched
from shared.index.shard import Shard


def search_shards(shards: Mapping[int, Shard], queries: Sequence[Query]) -> list[list[Match]]:
    """For each query the nearest images of all shards, best first, equal scores by id.

    Raises OtherScheme, and ValueError where a code is not as long as those in the index.
    """
    found = [shard.search_all(queries) for shard in shards.values()]
    return [
        sorted(chain.from_iterable(of_query), key=rank)[: query.k]
        for query, of_query in zip(queries, zip(*found, strict=True), strict=True)
    ]


def explain_shards(shards: Mapping[int, Shard], query: Query) -> dict[int, list[SegmentSearched]]:
    """Search once more, and say what was done in each segment of each shard."""
    return {number: shard.explain(query) for number, shard in shards.items()}


def query_of(shards: Mapping[int, Shard], image_id: str) -> bytes | None:
    """What a query for images like an indexed one brings; None where no shard holds it."""
    return next((shard.query_of(image_id) for shard in shards.values() if image_id in shard), None)


def queries_of(shards: Mapping[int, Shard], image_ids: Collection[str]) -> dict[str, bytes]:
    """The same for several ids, of those that a shard holds."""
    return {each: query for each in image_ids if (query := query_of(shards, each)) is not None}
