from shared.index.filters.syntax import parse_filter
from shared.index.query import Query
from shared.index.search import query_of, search_shards
from shared.index.shard import Shard
from tests.fakes.operations import code, upsert

QUERY = code(10, 0, 0, 0)


def shard(**rows: bytes) -> Shard:
    made = Shard()
    made.apply([upsert(n, image_id, of=row) for n, (image_id, row) in enumerate(rows.items())], position=len(rows) - 1)
    return made


def nearest(shards: dict[int, Shard], k: int, min_score: float | None = None) -> list[str]:
    [found] = search_shards(shards, [Query(code=QUERY, k=k, min_score=min_score)])
    return [match.row.id for match in found]


def test_the_nearest_of_all_shards_are_kept_best_first() -> None:
    shards = {
        0: shard(near=code(10, 1, 0, 0), far=code(0, 10, 0, 0)),
        1: shard(nearest=code(10, 0, 0, 0), farther=code(-10, 1, 0, 0)),
    }
    assert nearest(shards, 3) == ["nearest", "near", "far"]


def test_equal_scores_rank_by_id_across_shards() -> None:
    shards = {0: shard(b=QUERY, d=QUERY), 1: shard(a=QUERY, c=QUERY)}
    assert nearest(shards, 3) == ["a", "b", "c"]


def test_an_empty_shard_takes_nothing_away() -> None:
    assert nearest({0: Shard(), 1: shard(only=QUERY)}, 5) == ["only"]


def test_a_least_score_holds_for_every_shard() -> None:
    shards = {0: shard(near=code(10, 1, 0, 0)), 1: shard(far=code(0, 10, 0, 0))}
    assert nearest(shards, 5, min_score=0.5) == ["near"]


def test_each_query_of_a_batch_gets_what_it_gets_alone() -> None:
    shards = {0: shard(a=code(10, 1, 0, 0), b=code(0, 10, 0, 0)), 1: shard(c=code(0, 0, 10, 1), d=QUERY)}
    queries = [
        Query(code=QUERY, k=3),
        Query(code=code(0, 9, 1, 0), k=3),
        Query(code=QUERY, k=1),
        Query(code=code(0, 0, 5, 0), k=3, exclude=frozenset({"c", "b"})),
        Query(code=QUERY, k=4, min_score=0.999),
        Query(code=QUERY, k=2, condition=parse_filter({"@id": {"$ne": "d"}})),
    ]
    together = search_shards(shards, queries)
    assert together == [search_shards(shards, [each])[0] for each in queries]
    assert [[match.row.id for match in found] for found in together] == [
        ["d", "a", "b"],
        ["b", "c", "a"],
        ["d"],
        ["a", "d"],
        ["d"],
        ["a", "b"],
    ]


def test_the_code_of_an_image_is_found_in_whichever_shard_holds_it() -> None:
    shards = {0: shard(a=QUERY), 1: shard(b=code(1, 2, 3, 4))}
    assert query_of(shards, "b") == code(1, 2, 3, 4)
    assert query_of(shards, "nobody") is None
