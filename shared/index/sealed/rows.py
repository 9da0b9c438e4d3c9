"""The file of the rows: what is known of each image beside its code."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.index.sealed.arrow import read_batch, write_batch
from shared.index.segment import Row

FILE = "rows.arrow"
_SCHEMA = pa.schema(
    [
        pa.field("row", pa.large_binary(), nullable=False),  # msgpack: an answer reads one place
        pa.field("id", pa.large_string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("uploaded_at", pa.int64(), nullable=False),
        pa.field("occurred_at", pa.int64()),
        pa.field("uri", pa.large_string()),
    ]
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Row).decode


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    columns = [
        [_encode(row) for row in rows],
        [row.id for row in rows],
        [row.offset for row in rows],
        [row.uploaded_at for row in rows],
        [row.occurred_at for row in rows],
        [row.uri for row in rows],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    write_batch(path, pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))


class RowFile:
    """The rows by their numbers. Raises ValueError where the file is no such file."""

    def __init__(self, path: Path) -> None:
        self._batch = read_batch(path, _SCHEMA)
        self.offsets: npt.NDArray[np.int64] = self._batch.column("offset").to_numpy()
        self._ids = _Slices(self._batch.column("id"))
        self._rows = _Slices(self._batch.column("row"))

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def __getitem__(self, number: int) -> Row:
        return _decode(self._rows[number])

    def id(self, number: int) -> str:
        return str(self._ids[number], "utf-8")

    def times(self, name: str) -> npt.NDArray[np.float64]:
        """`uploaded_at` or `occurred_at` of all rows, NaN where it is missing."""
        return np.asarray(self._batch.column(name).to_numpy(zero_copy_only=False), np.float64)

    def values(self, name: str) -> Iterator[str | int | None]:
        """One column of all rows."""
        return iter(self._batch.column(name).to_pylist())


class _Slices:
    """The values of a column of texts or bytes that lacks none. Arrow's own objects for them take longer to make."""

    def __init__(self, column: pa.Array) -> None:
        _, ends, data = column.buffers()
        self._ends = memoryview(ends).cast("q")
        self._data = memoryview(data or b"")

    def __getitem__(self, number: int) -> memoryview:
        return self._data[self._ends[number] : self._ends[number + 1]]
