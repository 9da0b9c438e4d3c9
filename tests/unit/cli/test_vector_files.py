"""Files of vectors: what was written can be read back, and a file is either complete or not there."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from services.cli.failures import Failure
from services.cli.vector_files import Vector, VectorLayout, check_format, writing

METADATA = {"encoder": "some", "scheme": "0123"}
F32 = VectorLayout(dtype=np.dtype(np.float32), dim=3, metadata=METADATA)
I8 = VectorLayout(dtype=np.dtype(np.int8), dim=3, metadata=METADATA)


def rows(count: int, layout: VectorLayout) -> list[tuple[str, Vector]]:
    numbers = np.random.default_rng(1).normal(scale=40, size=(count, layout.dim)).astype(layout.dtype)
    return [(f"{row}\n\N{SNOWMAN}.jpg", vector) for row, vector in enumerate(numbers)]


@pytest.mark.parametrize("layout", [F32, I8], ids=["f32", "i8"])
@pytest.mark.parametrize("count", [0, 1, 3000])
@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_what_was_written_is_read_back(suffix: str, count: int, layout: VectorLayout, tmp_path: Path) -> None:
    """3,000 rows are several row groups, and lengthen the header of the array."""
    path = tmp_path / f"vectors{suffix}"
    given = rows(count, layout)
    with writing(path, layout, StringIO()) as write:
        for name, vector in given:
            write(name, vector)
    expected = np.array([vector for _, vector in given], layout.dtype).reshape(count, layout.dim)
    if suffix == ".npy":
        matrix = np.load(path)
        described = json.loads((tmp_path / "vectors.json").read_text())
    else:
        table = parquet.read_table(path)
        matrix = np.array(table["vector"].to_pylist(), layout.dtype).reshape(count, layout.dim)
        described = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
        described["paths"] = table["path"].to_pylist()
    assert matrix.dtype == layout.dtype
    assert np.array_equal(matrix, expected)
    assert described == {**METADATA, "paths": [name for name, _ in given]}


def test_the_numbers_of_a_line_are_exactly_those_of_the_vector() -> None:
    stream = StringIO()
    given = [*rows(20, F32), ("tiny", np.array([0, 1e-38, -3e38], np.float32))]
    with writing(None, F32, stream) as write:
        for name, vector in given:
            write(name, vector)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["path"] for line in lines] == [name for name, _ in given]
    for line, (_, vector) in zip(lines, given, strict=True):
        assert np.array_equal(np.array(line["vector"], np.float32), vector)


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_a_failure_leaves_the_folder_as_it_was(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"vectors{suffix}"
    path.write_bytes(b"of yesterday")

    def fail_after_one_row() -> None:
        with writing(path, F32, StringIO()) as write:
            write(*rows(1, F32)[0])
            raise RuntimeError("the device is lost")

    with pytest.raises(RuntimeError, match="the device is lost"):
        fail_after_one_row()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"of yesterday"


def test_a_file_that_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    check_format(None)
    check_format(tmp_path / "vectors.parquet")
    with pytest.raises(Failure, match=r"use a name that ends with \.npy or \.parquet"):
        check_format(tmp_path / "vectors.csv")
    with pytest.raises(Failure, match="there is no folder '/nowhere'"):
        check_format(Path("/nowhere/vectors.npy"))


def test_without_pyarrow_a_parquet_file_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.vector_files.find_spec", lambda _: None)
    with pytest.raises(Failure, match=r"install afterimage\[parquet\]"):
        check_format(tmp_path / "vectors.parquet")
