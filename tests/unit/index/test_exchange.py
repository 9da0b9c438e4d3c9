"""Sealed segments take the places of rows, whatever happened to those since they were sealed."""

from pathlib import Path

import numpy as np
import pytest

from shared.index.sealed.segment import SealedSegment
from shared.index.shard import RowsLost, Shard
from tests.fakes.operations import SCHEME, code, delete, upsert
from tests.fakes.segments import write

QUERY = code(10, 0, 0, 0)


def shard_of(*ids: str) -> Shard:
    """Each id at the offset of its place."""
    shard = Shard()
    shard.apply([upsert(n, image_id, of=code(10, n, 0, 0)) for n, image_id in enumerate(ids)], position=len(ids) - 1)
    return shard


def seal(shard: Shard, folder: Path) -> SealedSegment:
    """Seal the growing rows as they are now; the shard keeps them."""
    contents = shard.contents()
    assert contents.scheme == SCHEME
    description = write(folder, contents.rows, contents.codes)
    return SealedSegment.open(folder / description.name, description)


def found(shard: Shard) -> list[tuple[float, str]]:
    return [(match.score, match.row.id) for match in shard.search(QUERY, 10)]


def test_nothing_that_a_shard_says_changes_when_its_rows_are_sealed(tmp_path: Path) -> None:
    shard = shard_of("a", "b", "c")
    before = (len(shard), shard.checksum, shard.position, found(shard), shard.code_of("b"), shard.winner("c", offset=9))
    shard.exchange([seal(shard, tmp_path)], dropped=[])
    assert shard.growing_rows == 0
    after = (len(shard), shard.checksum, shard.position, found(shard), shard.code_of("b"), shard.winner("c", offset=9))
    assert after == before


def test_what_was_deleted_or_replaced_while_it_was_sealed_stays_so(tmp_path: Path) -> None:
    shard = shard_of("a", "b", "c")
    segment = seal(shard, tmp_path)
    shard.apply([delete(3, "a"), upsert(4, "b", of=code(-10, 1, 0, 0)), upsert(5, "d")], position=5)
    before = found(shard)
    shard.exchange([segment], dropped=[])
    assert found(shard) == before
    assert [segment.live.tolist(), shard.growing_rows, len(shard)] == [[False, False, True], 2, 3]


def test_the_same_upload_event_encoded_again_is_another_row(tmp_path: Path) -> None:
    """A code that came again, a little different, under the same source: the later operation holds, in all copies."""
    shard = shard_of("a")
    segment = seal(shard, tmp_path)
    again = upsert(1, "a", source=0, of=code(10, 1, 0, 0))
    shard.apply([again], position=1)
    shard.exchange([segment], dropped=[])
    assert shard.code_of("a") == again.code
    assert len(segment) == 0


def test_an_upsert_replaces_a_sealed_row_and_a_stale_one_does_not(tmp_path: Path) -> None:
    shard = shard_of("a", "b")
    shard.exchange([seal(shard, tmp_path)], dropped=[])
    shard.apply([upsert(2, "b", source=0, of=code(1, 1, 1, 1))], position=2)
    assert shard.code_of("b") == code(10, 1, 0, 0)
    shard.apply([upsert(3, "b", source=3, of=code(1, 1, 1, 1))], position=3)
    assert shard.code_of("b") == code(1, 1, 1, 1)
    assert len(shard) == 2


def test_a_segment_is_not_dropped_while_a_current_row_would_be_lost(tmp_path: Path) -> None:
    shard = shard_of("a", "b")
    segment = seal(shard, tmp_path)
    shard.exchange([segment], dropped=[])
    before = found(shard)
    with pytest.raises(RowsLost, match="2 rows"):
        shard.exchange([], dropped=[segment.name])
    assert found(shard) == before
    shard.apply([delete(2, "a"), delete(3, "b")], position=3)
    shard.exchange([], dropped=[segment.name])
    assert not shard.sealed


def test_a_copy_that_folded_by_itself_takes_over_segments_sealed_elsewhere(tmp_path: Path) -> None:
    """It is further on than whoever sealed them, or less far."""
    writer = shard_of("a", "b", "c")
    segment = seal(writer, tmp_path)
    ahead, behind = shard_of("a", "b", "c", "d"), shard_of("a", "b")
    ahead.apply([delete(4, "c")], position=4)
    for copy in (ahead, behind):
        before = (found(copy), copy.checksum, len(copy))
        copy.exchange([SealedSegment.open(tmp_path / segment.name, segment.description)], dropped=[])
        assert (found(copy), copy.checksum, len(copy)) == before
    behind.apply([upsert(2, "c", of=code(10, 2, 0, 0))], position=2)
    assert behind.checksum == writer.checksum


def test_equal_scores_rank_by_id_across_segments(tmp_path: Path) -> None:
    shard = Shard()
    shard.apply([upsert(n, image_id, of=QUERY) for n, image_id in enumerate("db")], position=1)
    shard.exchange([seal(shard, tmp_path)], dropped=[])
    shard.apply([upsert(2 + n, image_id, of=QUERY) for n, image_id in enumerate("ca")], position=3)
    assert [match.row.id for match in shard.search(QUERY, 3)] == ["a", "b", "c"]


def test_a_code_of_another_length_fits_no_shard_whose_rows_are_all_sealed(tmp_path: Path) -> None:
    shard = shard_of("a")
    shard.exchange([seal(shard, tmp_path)], dropped=[])
    with pytest.raises(ValueError, match="the query's code has 2 bytes, and this index compares 4"):
        shard.search(code(1, 1), 1)


def test_contents_are_those_of_their_moment(tmp_path: Path) -> None:
    shard = shard_of("a", "b")
    shard.exchange([seal(shard, tmp_path)], dropped=[])
    shard.apply([upsert(2, "c")], position=2)
    contents = shard.contents()
    shard.apply([delete(3, "a"), delete(4, "c")], position=4)
    [part] = contents.sealed.values()
    assert part.live.tolist() == [True, True]
    assert [row.id for row in contents.rows] == ["c"]
    assert np.array_equal(contents.codes, [np.frombuffer(code(1, 2, 3, 4), np.uint8)])
    assert (contents.position, contents.deleted) == (2, [])


def test_statistics_count_what_is_current_what_is_dead_and_the_room_that_all_of_it_takes(tmp_path: Path) -> None:
    shard = shard_of("a", "b", "c")
    segment = seal(shard, tmp_path)
    shard.exchange([segment], dropped=[])
    shard.apply([upsert(3, "a"), upsert(4, "d"), delete(5, "b"), delete(6, "d")], position=6)
    found = shard.statistics
    assert (found.rows, found.dead_rows, found.segments) == (2, 3, 1)
    assert found.mapped_bytes == sum(path.stat().st_size for path in (tmp_path / segment.name).iterdir())
    assert found.memory_bytes == 256 * len(QUERY)


def test_an_exchange_frees_the_room_of_dead_rows_also_where_no_other_row_moves() -> None:
    shard = shard_of("a")
    shard.apply([delete(1, "a")], position=1)
    assert shard.statistics.dead_rows == 1
    shard.exchange([], dropped=[])
    assert shard.statistics.dead_rows == 0


def test_a_row_that_comes_in_two_segments_is_live_in_one(tmp_path: Path) -> None:
    """A copy that took a segment over before it had heard of all its rows has sealed those again."""
    shard = shard_of("a", "b")
    both = seal(shard, tmp_path)
    behind = shard_of("a")
    behind.exchange([both], dropped=[])
    behind.apply([upsert(1, "b", of=code(10, 1, 0, 0))], position=1)
    again = seal(behind, tmp_path)
    before = found(shard)
    shard.exchange([both, again], dropped=[])
    assert found(shard) == before
    assert [both.live.tolist(), again.live.tolist(), len(shard)] == [[True, True], [False], 2]
