"""Segments are built in a process of their own, and a build that fails leaves nothing behind."""

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from shared.index.sealed.building import BuildFailed, BuildJob, SegmentBuild, Source
from shared.index.sealed.description import SegmentDescription
from shared.index.sealed.segment import SealedSegment
from shared.index.vectors import VectorFormat
from tests.fakes.operations import SCHEME
from tests.fakes.segments import clustered, code_in, codes_of, remove_from, row, row_in, sealed, write

CODES = codes_of(clustered(1_200, 16), VectorFormat())


def job(folder: Path, *sources: SealedSegment) -> BuildJob:
    return BuildJob(
        folder=str(folder),
        scheme=SCHEME,
        element="i8",
        metric="cos",
        sources=[Source(description=source.description, live=np.packbits(source.live).tobytes()) for source in sources],
    )


def build(job: BuildJob, first: int, last: int) -> SegmentDescription:
    return SegmentBuild(job).run([row(number) for number in range(first, last)], CODES[first:last])


def test_a_child_builds_the_same_segment_as_this_process(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    assert build(job(theirs), 0, 1_200) == write(ours, [row(number) for number in range(1_200)], CODES)
    assert [path.name for path in theirs.iterdir()] == [path.name for path in ours.iterdir()]


def test_a_merge_takes_the_live_rows_of_its_sources_in_the_order_of_their_offsets(tmp_path: Path) -> None:
    late = sealed(tmp_path, [row(number) for number in range(100, 200)], CODES[100:200])
    early = sealed(tmp_path, [row(number) for number in range(100)], CODES[:100])
    for number in range(0, 200, 2):
        remove_from(early if number < 100 else late, str(number))
    description = build(job(tmp_path, late, early), 300, 310)
    merged = SealedSegment.open(tmp_path / description.name, description)
    expected = [*range(1, 200, 2), *range(300, 310)]
    assert merged.offsets.tolist() == expected
    for number in expected:
        assert row_in(merged, str(number)) == row(number)
        assert code_in(merged, str(number)) == CODES[number].tobytes()


def test_a_child_that_dies_is_a_failed_build_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="status 3"):
        SegmentBuild(job(tmp_path), [sys.executable, "-c", "raise SystemExit(3)"]).run([], CODES[:0])
    assert not list(tmp_path.iterdir())


def test_a_build_that_is_ended_fails(tmp_path: Path) -> None:
    stuck = SegmentBuild(job(tmp_path), [sys.executable, "-c", "import signal; signal.pause()"])
    with ThreadPoolExecutor() as threads:
        running = threads.submit(stuck.run, [], CODES[:0])
        stuck.end()
        with pytest.raises(BuildFailed):
            running.result()


def test_a_full_disk_fails_the_build_and_leaves_nothing(tmp_path: Path) -> None:
    """No file may become larger than a kilobyte, which the kernel reports as it does a full disk."""
    limited = (
        "import resource, signal, runpy; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1024, {resource.RLIM_INFINITY}));"
        "runpy.run_module('shared.index.sealed.child', run_name='__main__')"
    )
    with pytest.raises(BuildFailed, match="status 1"):
        SegmentBuild(job(tmp_path), [sys.executable, "-c", limited]).run(
            [row(number) for number in range(100)], CODES[:100]
        )
    assert not list(tmp_path.iterdir())


def test_the_child_waits_for_no_compiler() -> None:
    """Numba takes longer to import than a small segment to build."""
    code = "import shared.index.sealed.child, sys; raise SystemExit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
