"""A file that is not what was written is never opened."""

import random
from pathlib import Path

import pytest

from shared.index.sealed.description import CorruptSegment, SegmentDescription
from shared.index.sealed.segment import SealedSegment
from shared.index.vectors import VectorFormat
from tests.fakes.segments import clustered, codes_of, row, write

FILES = ["codes.npy", "norms.npy", "links.npy", "upper.npy", "rows.arrow", "ids.arrow", "fields.arrow"]


@pytest.fixture
def segment(tmp_path: Path) -> tuple[Path, SegmentDescription]:
    description = write(tmp_path, [row(n) for n in range(50)], codes_of(clustered(50, 8), VectorFormat()))
    return tmp_path / description.name, description


def test_these_are_all_files(segment: tuple[Path, SegmentDescription]) -> None:
    folder, description = segment
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES) == sorted(description.files)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere_is_noticed(segment: tuple[Path, SegmentDescription], name: str, seed: int) -> None:
    folder, description = segment
    data = bytearray((folder / name).read_bytes())
    rng = random.Random(f"{name} {seed}")  # noqa: S311 - no secret
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    (folder / name).write_bytes(data)
    with pytest.raises(CorruptSegment, match=rf"{name} has the SHA-256 \w+, and what was written has \w+"):
        SealedSegment.open(folder, description)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_short_is_noticed(segment: tuple[Path, SegmentDescription], name: str) -> None:
    folder, description = segment
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1])
    with pytest.raises(CorruptSegment, match=rf"{name} has {len(data) - 1} bytes, and {len(data)} were written"):
        SealedSegment.open(folder, description)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed(segment: tuple[Path, SegmentDescription], name: str) -> None:
    folder, description = segment
    (folder / name).unlink()
    with pytest.raises(CorruptSegment, match=f"{name} cannot be read"):
        SealedSegment.open(folder, description)
