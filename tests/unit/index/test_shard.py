import msgspec
import pytest

from shared.events.operations import Upsert
from shared.events.topics import DELETE_RETENTION_MS
from shared.index.shard import EMPTY_POSITION, Outcome, Shard
from tests.fakes.operations import SCHEME, code, delete, upsert

WEEK_MS = DELETE_RETENTION_MS


def found(shard: Shard, k: int, *, near: bytes | None = None, min_score: float | None = None) -> list[str]:
    return [match.row.id for match in shard.search(near or code(1, 2, 3, 4), k, min_score=min_score)]


def test_a_late_upsert_never_overwrites_a_newer_delete() -> None:
    shard = Shard()
    outcomes = shard.apply([delete(0, source=9), upsert(1, source=8)], position=1)
    assert outcomes == [Outcome.APPLIED, Outcome.STALE]
    assert "cat" not in shard


def test_a_late_delete_never_removes_a_newer_upsert() -> None:
    shard = Shard()
    outcomes = shard.apply([upsert(0, source=9), delete(1, source=8)], position=1)
    assert outcomes == [Outcome.APPLIED, Outcome.STALE]
    assert "cat" in shard


def test_an_event_that_comes_twice_changes_nothing_the_second_time() -> None:
    shard = Shard()
    shard.apply([upsert(0)], position=0)
    before = shard.checksum
    again = msgspec.structs.replace(upsert(0), offset=1)
    assert shard.apply([again], position=1) == [Outcome.APPLIED]
    assert shard.checksum == before
    assert len(shard) == 1


def test_a_new_shard_stands_before_the_first_offset() -> None:
    assert Shard().position == EMPTY_POSITION == -1


def test_offsets_without_an_operation_move_the_position() -> None:
    shard = Shard()
    shard.apply([upsert(3)], position=10)
    assert shard.position == 10


@pytest.mark.parametrize("order", [["a", "b", "c", "d"], ["d", "c", "b", "a"], ["c", "a", "d", "b"]])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_of_equal_scores_the_first_by_id_are_kept_whatever_order_they_came_in(order: list[str], k: int) -> None:
    shard = Shard()
    shard.apply([upsert(offset, image_id) for offset, image_id in enumerate(order)], position=3)
    assert found(shard, k) == ["a", "b", "c", "d"][:k]


def test_a_least_score_leaves_out_what_is_below_it() -> None:
    shard = Shard()
    shard.apply([upsert(0, "same"), upsert(1, "opposite", of=code(-1, -2, -3, -4))], position=1)
    assert found(shard, 2, min_score=0.0) == ["same"]


def test_a_query_of_another_length_is_refused_with_both_lengths() -> None:
    shard = Shard()
    shard.apply([upsert(0)], position=0)
    with pytest.raises(ValueError, match=r"3 bytes.* 4"):
        shard.search(b"123", 1)


def test_an_empty_code_never_enters_the_index() -> None:
    empty = Upsert(offset=0, id="void", source=upsert(0).source, uploaded_at=0, code=b"", scheme=SCHEME)
    shard = Shard()
    assert shard.apply([empty, upsert(1)], position=1) == [Outcome.FOREIGN, Outcome.APPLIED]
    assert found(shard, 2) == ["cat"]


@pytest.mark.parametrize("first", [SCHEME, ""])
def test_the_first_upsert_sets_the_scheme_even_a_nameless_one(first: str) -> None:
    shard = Shard()
    outcomes = shard.apply([upsert(0, "a", scheme=first), upsert(1, "b", scheme="another")], position=1)
    assert outcomes == [Outcome.APPLIED, Outcome.FOREIGN]


def test_the_scheme_goes_with_the_last_row_as_it_does_for_whoever_finds_only_the_delete_in_the_compacted_topic() -> (
    None
):
    lived_through, rebuilt = Shard(), Shard()
    lived_through.apply([upsert(0), delete(1)], position=1)
    rebuilt.apply([delete(1)], position=1)
    longer = upsert(2, of=code(*range(8)), scheme="another")
    for shard in (lived_through, rebuilt):
        assert shard.scheme is None
        assert shard.apply([longer], position=2) == [Outcome.APPLIED]
        assert shard.code_of("cat") == longer.code
    assert lived_through.checksum == rebuilt.checksum


def test_a_row_that_is_replaced_keeps_the_scheme_though_it_is_the_only_one() -> None:
    shard = Shard()
    assert shard.apply([upsert(0), upsert(1, scheme="another")], position=1) == [Outcome.APPLIED, Outcome.FOREIGN]


def test_a_foreign_record_leaves_the_row_that_was_there() -> None:
    shard = Shard()
    shard.apply([upsert(0, of=code(1, 1, 1, 1)), upsert(1, of=code(2, 2, 2, 2), scheme="another")], position=1)
    assert shard.code_of("cat") == code(1, 1, 1, 1)


def test_deletes_are_forgotten_after_their_retention_by_the_clock_of_the_log() -> None:
    shard = Shard()
    shard.apply([delete(0, "old", at=0), delete(1, "new", at=WEEK_MS)], position=1)
    assert shard.knows("old")
    shard.apply([delete(2, "newest", at=WEEK_MS + 1)], position=2)
    assert not shard.knows("old")
    assert shard.knows("new")


def test_a_delete_whose_clock_was_behind_is_remembered_from_the_time_of_those_before_it() -> None:
    shard = Shard()
    shard.apply([delete(0, "first", at=3 * WEEK_MS), delete(1, "behind", at=WEEK_MS)], position=1)
    shard.apply([delete(2, "later", at=3 * WEEK_MS + 1)], position=2)
    assert shard.knows("behind")
    shard.apply([delete(3, "latest", at=4 * WEEK_MS + 1)], position=3)
    assert not shard.knows("behind")


def test_a_delete_that_is_repeated_is_remembered_from_the_last_time() -> None:
    shard = Shard()
    shard.apply([delete(0, "twice", at=0), delete(1, "twice", at=WEEK_MS), delete(2, at=WEEK_MS + 1)], position=2)
    assert shard.knows("twice")


@pytest.mark.parametrize("image_id", ["live", "deleted"])
def test_the_winner_is_restated_at_the_offset_that_was_asked_for(image_id: str) -> None:
    shard = Shard()
    shard.apply(
        [upsert(0, "live", source=4), upsert(1, "deleted", source=5), delete(2, "deleted", source=6)], position=2
    )
    winner = shard.winner(image_id, offset=99)
    assert winner.offset == 99
    assert winner.source.offset == {"live": 4, "deleted": 6}[image_id]


def test_there_is_no_winner_for_an_id_that_nothing_is_known_of() -> None:
    with pytest.raises(KeyError):
        Shard().winner("nobody", offset=0)


def test_copies_that_hold_the_same_rows_have_one_checksum_and_others_another() -> None:
    one, other = Shard(), Shard()
    one.apply([upsert(0, "a"), upsert(1, "b")], position=1)
    other.apply([upsert(1, "b"), upsert(2, "c"), delete(3, "c"), upsert(0, "a")], position=3)
    assert one.checksum == other.checksum
    other.apply([upsert(4, "a", source=9)], position=4)
    assert one.checksum != other.checksum


def test_memory_follows_the_rows_and_is_reused() -> None:
    shard = Shard()
    shard.apply([upsert(n, str(n)) for n in range(1000)], position=999)
    full = shard.statistics.memory_bytes
    shard.apply([delete(1000 + n, str(n)) for n in range(1000)], position=1999)
    shard.apply([upsert(2000 + n, f"again-{n}") for n in range(1000)], position=2999)
    assert shard.statistics.memory_bytes == full
    assert len(shard) == 1000
