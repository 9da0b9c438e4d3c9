from shared.index.search import code_of, search_shards
from shared.index.segment import Match
from shared.index.shard import Shard
from tests.fakes.operations import code, upsert

QUERY = code(10, 0, 0, 0)


def shard(**rows: bytes) -> Shard:
    made = Shard()
    made.apply([upsert(n, image_id, of=row) for n, (image_id, row) in enumerate(rows.items())], position=len(rows) - 1)
    return made


def nearest(shards: dict[int, Shard], k: int, min_score: float | None = None) -> list[tuple[int, Match]]:
    [found] = search_shards(shards, [QUERY], k, min_score=min_score)
    return found


def test_the_nearest_of_all_shards_are_kept_best_first() -> None:
    shards = {
        0: shard(near=code(10, 1, 0, 0), far=code(0, 10, 0, 0)),
        1: shard(nearest=code(10, 0, 0, 0), farther=code(-10, 1, 0, 0)),
    }
    found = [(number, match.row.id) for number, match in nearest(shards, 3)]
    assert found == [(1, "nearest"), (0, "near"), (0, "far")]


def test_equal_scores_rank_by_id_across_shards() -> None:
    shards = {0: shard(b=QUERY, d=QUERY), 1: shard(a=QUERY, c=QUERY)}
    assert [match.row.id for _, match in nearest(shards, 3)] == ["a", "b", "c"]


def test_an_empty_shard_takes_nothing_away() -> None:
    found = nearest({0: Shard(), 1: shard(only=QUERY)}, 5)
    assert [(number, match.row.id) for number, match in found] == [(1, "only")]


def test_a_least_score_holds_for_every_shard() -> None:
    shards = {0: shard(near=code(10, 1, 0, 0)), 1: shard(far=code(0, 10, 0, 0))}
    assert [match.row.id for _, match in nearest(shards, 5, min_score=0.5)] == ["near"]


def test_each_code_of_a_batch_gets_what_it_gets_alone() -> None:
    shards = {0: shard(a=code(10, 1, 0, 0), b=code(0, 10, 0, 0)), 1: shard(c=code(0, 0, 10, 1), d=QUERY)}
    codes = [QUERY, code(0, 9, 1, 0), code(0, 0, 0, 5)]
    together = search_shards(shards, codes, 3)
    assert together == [search_shards(shards, [each], 3)[0] for each in codes]
    assert [found[0][1].row.id for found in together] == ["d", "b", "c"]


def test_the_code_of_an_image_is_found_in_whichever_shard_holds_it() -> None:
    shards = {0: shard(a=QUERY), 1: shard(b=code(1, 2, 3, 4))}
    assert code_of(shards, "b") == code(1, 2, 3, 4)
    assert code_of(shards, "nobody") is None
