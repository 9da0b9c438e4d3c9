"""Where vectors go: lines of JSON, an array of NumPy, or a Parquet file."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import numpy.typing as npt

from services.cli.failures import Failure, Status

Vector = npt.NDArray[np.generic]

Write = Callable[[str, Vector], None]
"""Takes the name of an image and its vector. Blocks, and raises OSError; for one thread at a time."""

_ROWS = 1024
"""In one row group of a Parquet file: so many wait in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorLayout:
    """What all vectors of one file have in common."""

    dtype: np.dtype[np.generic]
    dim: int
    metadata: Mapping[str, str]
    """How they were made."""


def check_format(path: Path | None) -> None:
    """Raise Failure where vectors cannot be written to such a file, before anything is computed."""
    if path is None:
        return
    if path.suffix not in {".npy", ".parquet"}:
        raise Failure(
            f"{str(path)!r} is no file for vectors; use a name that ends with .npy or .parquet", Status.MISUSED
        )
    if not path.absolute().parent.is_dir():
        raise Failure(f"there is no folder {str(path.parent)!r} to write into", Status.MISUSED)
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise Failure(
            "a .parquet file needs pyarrow, which is not installed: install afterimage[parquet], or write a .npy file",
            Status.MISUSED,
        )


def writing(path: Path | None, layout: VectorLayout, stream: TextIO) -> AbstractContextManager[Write]:
    """Write to the file, or to the stream where there is none.

    A file is there, complete, after the block; when the block fails, what was there before stays as it was.
    """
    if path is None:
        return _json_lines(stream)
    return _npy(path, layout) if path.suffix == ".npy" else _parquet(path, layout)


@contextmanager
def _json_lines(stream: TextIO) -> Iterator[Write]:
    """Write one line for each image, at once: {"path": ..., "vector": [...]}."""

    def write(name: str, vector: Vector) -> None:
        numbers = ",".join(vector.astype(str))  # the shortest ones that give the same bits again
        stream.write(f'{{"path":{json.dumps(name)},"vector":[{numbers}]}}\n')
        stream.flush()

    yield write


@contextmanager
def _npy(path: Path, layout: VectorLayout) -> Iterator[Write]:
    """Write a matrix of shape (images, dim), and FILE.json, which says how it was made and names its rows."""
    rows = 0

    def write_header() -> None:
        """NumPy leaves room in a header for the number of rows to grow, so that it can be written again."""
        header = {"descr": np.lib.format.dtype_to_descr(layout.dtype), "fortran_order": False}
        matrix.seek(0)
        np.lib.format.write_array_header_1_0(matrix, {**header, "shape": (rows, layout.dim)})

    def write(name: str, vector: Vector) -> None:
        nonlocal rows
        matrix.write(vector.tobytes())
        names.write((",\n" if rows else "\n").encode() + json.dumps(name).encode())
        rows += 1

    with _replacing(path) as matrix, _replacing(path.with_suffix(".json")) as names:
        write_header()
        names.write(json.dumps({**layout.metadata, "paths": []}).removesuffix("]}").encode())
        yield write
        names.write(b"\n]}\n")
        write_header()


@contextmanager
def _parquet(path: Path, layout: VectorLayout) -> Iterator[Write]:
    """Write the columns `path` and `vector`, a list of fixed size, and how they were made into the file's metadata."""
    import pyarrow as pa  # noqa: PLC0415 - optional, see check_format
    from pyarrow import parquet  # noqa: PLC0415

    element = pa.from_numpy_dtype(layout.dtype)
    schema = pa.schema([("path", pa.string()), ("vector", pa.list_(element, layout.dim))], layout.metadata)
    waiting: list[tuple[str, Vector]] = []

    def write_waiting() -> None:
        flat = np.concatenate([vector for _, vector in waiting]) if waiting else np.empty(0, layout.dtype)
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat, element), layout.dim)
        names = pa.array([name for name, _ in waiting], pa.string())
        file.write_table(pa.Table.from_arrays([names, vectors], schema=schema))
        waiting.clear()

    def write(name: str, vector: Vector) -> None:
        waiting.append((name, vector))
        if len(waiting) == _ROWS:
            write_waiting()

    with _replacing(path) as target, parquet.ParquetWriter(target, schema) as file:
        yield write
        write_waiting()


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` after the block, and is removed when the block fails."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
