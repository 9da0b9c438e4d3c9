"""Replies that come from some of the shards each become one answer, which says what it lacks."""

import pytest

from shared.client.merging import Merging
from shared.events.search_replies import (
    Coverage,
    ErrorCode,
    Explanation,
    Hit,
    SearchFailure,
    SearchReply,
    SegmentSearch,
    Timings,
)
from shared.events.search_requests import Example, SearchRequest

LOW, HIGH = Coverage(shards=[0, 1], of=4), Coverage(shards=[2, 3], of=4)
BY_VECTOR = SearchRequest(vector=[1.0], top_k=2)


def reply(coverage: Coverage, *hits: tuple[str, float], codes: dict[str, bytes] | None = None) -> SearchReply:
    name = f"searcher-{coverage.shards[0]}"
    found = [Hit(id=image_id, score=score) for image_id, score in hits]
    made = SearchReply(hits=found, coverage=coverage, searcher=name, scheme="s", positions={coverage.shards[0]: 7})
    return made if codes is None else SearchReply(hits=found, coverage=coverage, searcher=name, codes=codes)


def failure(coverage: Coverage, code: ErrorCode, **codes: bytes) -> SearchReply:
    return SearchReply(error=SearchFailure(code=code, message="no"), coverage=coverage, codes=codes)


def merging(request: SearchRequest, *replies: SearchReply) -> Merging:
    made = Merging(request)
    for each in replies:
        made.add(each)
    return made


def answer(request: SearchRequest, *replies: SearchReply) -> SearchReply:
    found = merging(request, *replies).answer()
    assert found is not None
    return found


def ids(found: SearchReply) -> list[str]:
    return [hit.id for hit in found.hits]


def test_nothing_is_known_before_a_reply() -> None:
    assert merging(BY_VECTOR).answer() is None
    assert not merging(BY_VECTOR).complete


def test_the_reply_of_a_searcher_of_all_shards_is_the_answer_whatever_came_before() -> None:
    whole = SearchReply(hits=[Hit(id="a", score=0.5)])
    for before in ((), (reply(LOW, ("b", 0.9)),)):
        made = merging(BY_VECTOR, *before, whole)
        assert (made.complete, made.answer()) == (True, whole)


def test_the_best_of_all_shards_are_the_hits() -> None:
    replies = reply(HIGH, ("c", 0.8), ("b", 0.7)), reply(LOW, ("d", 0.9), ("a", 0.7))
    made = merging(SearchRequest(vector=[1.0], top_k=3), *replies)
    assert made.complete
    found = answer(SearchRequest(vector=[1.0], top_k=3), *replies)
    assert ids(found) == ["d", "c", "a"]  # equal scores by id
    assert (found.missing, found.positions, found.searcher) == ([], {0: 7, 2: 7}, "searcher-2, searcher-0")


def test_a_page_is_cut_from_the_merged_hits() -> None:
    low, high = reply(LOW, ("a", 0.9), ("c", 0.7)), reply(HIGH, ("b", 0.8), ("d", 0.6))
    pages = [SearchRequest(vector=[1.0], top_k=2, offset=offset) for offset in (0, 2, 4)]
    assert [ids(answer(page, low, high)) for page in pages] == [["a", "b"], ["c", "d"], []]


def test_while_a_group_is_silent_the_answer_names_the_shards_that_it_lacks() -> None:
    made = merging(BY_VECTOR, reply(LOW, ("a", 0.9)))
    assert not made.complete
    found = made.answer()
    assert found
    assert (ids(found), found.missing) == (["a"], [2, 3])


def test_a_group_that_fails_is_not_waited_for_and_its_shards_are_missing() -> None:
    made = merging(BY_VECTOR, failure(LOW, ErrorCode.OVERLOADED), reply(HIGH, ("b", 0.8)))
    assert made.complete
    found = made.answer()
    assert found
    assert (ids(found), found.error, found.missing) == (["b"], None, [0, 1])


def test_where_all_fail_the_error_is_the_answer() -> None:
    found = answer(BY_VECTOR, failure(LOW, ErrorCode.NOT_READY), failure(HIGH, ErrorCode.OVERLOADED))
    assert found.error
    assert found.error.code is ErrorCode.NOT_READY


def test_what_is_wrong_with_the_request_is_the_answer_whoever_else_has_hits() -> None:
    found = answer(BY_VECTOR, reply(LOW, ("a", 0.9)), failure(HIGH, ErrorCode.BAD_REQUEST))
    assert found.error
    assert found.error.code is ErrorCode.BAD_REQUEST


def test_a_reply_that_comes_twice_counts_once() -> None:
    twice = reply(LOW, ("a", 0.9), ("b", 0.8))
    found = answer(BY_VECTOR, twice, twice)
    assert (ids(found), found.missing) == (["a", "b"], [2, 3])


def test_groups_that_share_a_shard_give_no_hit_twice() -> None:
    other = Coverage(shards=[1, 2, 3], of=4)
    assert ids(answer(BY_VECTOR, reply(LOW, ("a", 0.9)), reply(other, ("a", 0.9), ("b", 0.8)))) == ["a", "b"]


def test_what_was_done_is_told_of_all_and_the_longest_time_counts() -> None:
    def explained(coverage: Coverage, shard: int, search_ms: float) -> SearchReply:
        segment = SegmentSearch(shard=shard, segment="", rows=1, way="scan", compared=1)
        explanation = Explanation(expansion=10 + shard, segments=[segment])
        return SearchReply(coverage=coverage, explanation=explanation, timings=Timings(search_ms=search_ms))

    found = answer(BY_VECTOR, explained(HIGH, 2, 5.0), explained(LOW, 0, 3.0))
    assert found.explanation
    assert [segment.shard for segment in found.explanation.segments] == [0, 2]
    assert (found.explanation.expansion, found.timings.search_ms) == (12, 5.0)


def test_an_id_that_one_group_knows_is_asked_for_again_by_its_code() -> None:
    request = SearchRequest(id="cat", top_k=5)
    made = merging(request, reply(LOW, ("cat", 1.0), codes={"cat": b"code"}))
    assert not made.ask_again_at_once  # the others may know it, too
    made.add(failure(HIGH, ErrorCode.UNKNOWN_ID))
    assert made.ask_again_at_once
    assert made.by_codes() == SearchRequest(code=b"code", top_k=5)


def test_examples_are_asked_for_by_what_all_groups_know_together() -> None:
    request = SearchRequest(examples=[Example(id="cat"), Example(id="dog", weight=-1), Example(vector=[1.0])])
    only_cat = failure(LOW, ErrorCode.UNKNOWN_ID, cat=b"1")
    assert merging(request, only_cat, failure(HIGH, ErrorCode.UNKNOWN_ID)).by_codes() is None
    again = merging(request, only_cat, failure(HIGH, ErrorCode.UNKNOWN_ID, dog=b"2")).by_codes()
    assert again
    assert again.examples == [Example(code=b"1"), Example(code=b"2", weight=-1), Example(vector=[1.0])]


@pytest.mark.parametrize("code", [ErrorCode.UNKNOWN_ID, ErrorCode.OVERLOADED])
def test_an_id_that_nobody_knows_is_not_asked_for_again(code: ErrorCode) -> None:
    made = merging(SearchRequest(id="cat"), failure(LOW, ErrorCode.UNKNOWN_ID), failure(HIGH, code))
    assert made.by_codes() is None
    found = made.answer()
    assert found
    assert found.error
    assert found.error.code is ErrorCode.UNKNOWN_ID


def test_each_request_of_a_batch_is_merged_by_itself() -> None:
    request = SearchRequest(batch=[SearchRequest(id="cat", top_k=1), BY_VECTOR])
    low = SearchReply(coverage=LOW, batch=[reply(LOW, ("cat", 1.0), codes={"cat": b"1"}), reply(LOW, ("a", 0.9))])
    high = SearchReply(coverage=HIGH, batch=[failure(HIGH, ErrorCode.UNKNOWN_ID), reply(HIGH, ("b", 0.95))])
    made = merging(request, low, high)
    assert made.complete
    assert made.by_codes() == SearchRequest(batch=[SearchRequest(code=b"1", top_k=1), BY_VECTOR])
    found = made.answer()
    assert found
    assert found.batch
    assert [(ids(each), each.missing) for each in found.batch] == [(["cat"], [2, 3]), (["b", "a"], [])]


def test_a_batch_of_which_a_group_took_nothing_lacks_its_shards_in_each_request() -> None:
    request = SearchRequest(batch=[BY_VECTOR])
    found = answer(
        request, SearchReply(coverage=LOW, batch=[reply(LOW, ("a", 0.9))]), failure(HIGH, ErrorCode.OVERLOADED)
    )
    assert found.batch
    assert [(ids(each), each.missing) for each in found.batch] == [(["a"], [2, 3])]
