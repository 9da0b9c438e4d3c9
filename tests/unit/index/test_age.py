"""Rows of before a moment are found in every kind of segment, and looked for only where there may be any."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from shared.index.sealed.segment import SealedSegment
from shared.index.shard import Shard
from tests.fakes.operations import delete, upsert
from tests.fakes.replicated import seal
from tests.fakes.segments import remove_from


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    """Rows 0 to 9 in one sealed segment, 10 to 19 in another, 20 to 29 in none; each occurred at its own number."""
    made = Shard()
    for first in (0, 10, 20):
        made.apply(
            [upsert(n, str(n), uploaded_at=1_000 + n, occurred_at=n) for n in range(first, first + 10)],
            position=first + 9,
        )
        if first < 20:
            seal(made, tmp_path)
    return made


def ids(shard: Shard, moment: float, limit: int = 100) -> list[str]:
    return sorted((row.id for row in shard.older_than(moment, limit)), key=int)


@pytest.mark.parametrize("moment", [0, 1, 10, 15, 25, 30])
def test_all_rows_of_before_a_moment_are_found(shard: Shard, moment: int) -> None:
    assert ids(shard, moment) == [str(n) for n in range(moment)]


def test_dead_rows_are_not_found(shard: Shard) -> None:
    shard.apply([delete(30, "3"), upsert(31, "4", uploaded_at=2_000), delete(32, "25")], position=32)
    assert ids(shard, 30) == [str(n) for n in range(30) if n not in (3, 4, 25)]


def test_no_more_are_given_than_were_asked_for(shard: Shard) -> None:
    assert len(shard.older_than(30, 25)) == 25


def test_the_newest_upload_is_known_after_a_restore_too(shard: Shard, tmp_path: Path) -> None:
    assert shard.newest_upload_at == 1_029
    seal(shard, tmp_path)
    copy = Shard.restored(shard.contents(), shard.sealed.values())
    assert copy.newest_upload_at == 1_029


class Counted(SealedSegment):
    looks = 0

    def _dates(self) -> npt.NDArray[np.float64]:
        self.looks += 1
        return super()._dates()


def test_a_sealed_segment_is_not_looked_at_before_the_oldest_of_its_rows_is_of_age(tmp_path: Path) -> None:
    shard = Shard()
    shard.apply([upsert(n, str(n), uploaded_at=100 + n) for n in range(10)], position=9)
    seal(shard, tmp_path)
    [description] = [segment.description for segment in shard.sealed.values()]
    segment = Counted.open(tmp_path / description.name, description)
    for moment in (50, 60, 100):
        assert segment.older_than(moment, 10) == []
    assert segment.looks == 1
    assert [row.id for row in segment.older_than(101, 10)] == ["0"]
    remove_from(segment, "0")
    for moment in (101, 101):
        assert segment.older_than(moment, 10) == []
    assert segment.looks == 3
