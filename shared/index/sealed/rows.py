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
        self._columns = self._batch.columns
        self.offsets: npt.NDArray[np.int64] = self._batch.column("offset").to_numpy()

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def __getitem__(self, number: int) -> Row:
        image_id, offset, partition, source, uploaded_at, occurred_at, uri, attributes = (
            column[number].as_py() for column in self._columns
        )
        return Row(
            id=image_id,
            offset=offset,
            source=SourcePosition(offset=source, partition=partition),
            uploaded_at=uploaded_at,
            occurred_at=occurred_at,
            uri=uri,
            attributes=_attributes.decode(attributes),
        )

    def id(self, number: int) -> str:
        found: str = self._columns[0][number].as_py()
        return found

    def times(self, name: str) -> npt.NDArray[np.float64]:
        """`uploaded_at` or `occurred_at` of all rows, NaN where it is missing."""
        return np.asarray(self._batch.column(name).to_numpy(zero_copy_only=False), np.float64)

    def values(self, name: str) -> Iterator[str | int | None]:
        """One column of all rows."""
        return iter(self._batch.column(name).to_pylist())
