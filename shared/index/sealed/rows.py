"""The file of the rows: what is known of each image beside its code."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.events.images import Attributes, SourcePosition
from shared.index.sealed.arrow import read_batch, write_batch
from shared.index.segment import Row

FILE = "rows.arrow"
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.large_string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("source_partition", pa.int32(), nullable=False),
        pa.field("source_offset", pa.int64(), nullable=False),
        pa.field("uploaded_at", pa.int64(), nullable=False),
        pa.field("occurred_at", pa.int64()),
        pa.field("uri", pa.large_string()),
        pa.field("attributes", pa.large_binary(), nullable=False),  # msgpack
    ]
)
_NO_TIME = -(2**63)
"""Stands for one that is missing."""
_encode = msgspec.msgpack.Encoder().encode
_attributes = msgspec.msgpack.Decoder(Attributes)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    columns = [
        [row.id for row in rows],
        [row.offset for row in rows],
        [row.source.partition for row in rows],
        [row.source.offset for row in rows],
        [row.uploaded_at for row in rows],
        [row.occurred_at for row in rows],
        [row.uri for row in rows],
        [_encode(row.attributes) for row in rows],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    write_batch(path, pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))


class RowFile:
    """The rows by their numbers. Raises ValueError where the file is no such file."""

    def __init__(self, path: Path) -> None:
        self._batch = read_batch(path, _SCHEMA)
        self.offsets: npt.NDArray[np.int64] = self._batch.column("offset").to_numpy()
        self._partitions = self._batch.column("source_partition").to_numpy()
        self._sources = self._batch.column("source_offset").to_numpy()
        self._uploaded = self._batch.column("uploaded_at").to_numpy()
        self._occurred = self._batch.column("occurred_at").fill_null(_NO_TIME).to_numpy()
        self._uris = _Slices(self._batch.column("uri"))
        self._ids = _Slices(self._batch.column("id"))
        self._attributes = _Slices(self._batch.column("attributes"))

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def __getitem__(self, number: int) -> Row:
        occurred_at, uri = int(self._occurred[number]), self._uris[number]
        return Row(
            id=self.id(number),
            offset=int(self.offsets[number]),
            source=SourcePosition(offset=int(self._sources[number]), partition=int(self._partitions[number])),
            uploaded_at=int(self._uploaded[number]),
            occurred_at=None if occurred_at == _NO_TIME else occurred_at,
            uri=None if uri is None else str(uri, "utf-8"),
            attributes=_attributes.decode(self._attributes[number] or b""),
        )

    def id(self, number: int) -> str:
        return str(self._ids[number] or b"", "utf-8")

    def times(self, name: str) -> npt.NDArray[np.float64]:
        """`uploaded_at` or `occurred_at` of all rows, NaN where it is missing."""
        return np.asarray(self._batch.column(name).to_numpy(zero_copy_only=False), np.float64)

    def values(self, name: str) -> Iterator[str | int | None]:
        """One column of all rows."""
        return iter(self._batch.column(name).to_pylist())


class _Slices:
    """The values of a column of texts or bytes, None where it lacks one. Arrow's own objects take longer."""

    def __init__(self, column: pa.Array) -> None:
        valid, ends, data = column.buffers()
        self._valid = memoryview(valid) if valid else None
        self._ends = memoryview(ends).cast("q")
        self._data = memoryview(data or b"")

    def __getitem__(self, number: int) -> memoryview | None:
        if self._valid and not self._valid[number >> 3] >> (number & 7) & 1:
            return None
        return self._data[self._ends[number] : self._ends[number + 1]]
