"""Which segments are merged, and what that costs and gains."""

import pytest

from shared.index.compaction import Occupancy, to_merge, to_merge_into_one


def full(name: str, rows: int) -> Occupancy:
    return Occupancy(name, rows, rows)


def test_segments_no_larger_than_what_is_before_them_are_merged() -> None:
    assert to_merge(100, [full("large", 1_000), full("small", 50), full("equal", 100)]) == ["small", "equal"]


def test_what_is_small_beside_the_sum_of_the_smaller_ones_is_merged_too() -> None:
    assert to_merge(100, [full("a", 100), full("b", 200), full("c", 400), full("d", 900)]) == ["a", "b", "c"]


def test_a_segment_with_a_fifth_of_its_rows_dead_is_written_anew_whatever_its_size() -> None:
    segments = [Occupancy("decayed", 1_000, 800), Occupancy("fair", 2_000, 1_601)]
    assert to_merge(100, segments) == ["decayed"]


def test_a_segment_without_live_rows_goes() -> None:
    assert to_merge(0, [Occupancy("dead", 10, 0)]) == ["dead"]


def test_what_would_be_too_large_together_stays_apart() -> None:
    assert to_merge(100, [full("a", 100), full("b", 200)], max_rows=350) == ["a"]


@pytest.mark.parametrize(
    ("new_rows", "segments", "merged"),
    [
        (0, [], []),
        (0, [full("a", 10)], []),
        (1, [full("a", 10)], ["a"]),
        (0, [Occupancy("a", 10, 9)], ["a"]),
        (0, [full("a", 10), full("b", 900_000)], ["a", "b"]),
    ],
)
def test_all_goes_into_one_unless_it_is_one_already(
    new_rows: int, segments: list[Occupancy], merged: list[str]
) -> None:
    assert to_merge_into_one(new_rows, segments) == merged


def test_segments_are_few_and_rows_are_written_anew_seldom() -> None:
    """After a thousand seals: about log n segments, and each row in about log n of them in its life."""
    segments: dict[str, int] = {}
    written = 0
    for number in range(1_000):
        merged = to_merge(50, [full(name, rows) for name, rows in segments.items()])
        rows = 50 + sum(segments.pop(name) for name in merged)
        segments[str(number)] = rows
        written += rows
        assert len(segments) <= 10
    assert sum(segments.values()) == 50_000
    assert written <= 11 * 50_000
