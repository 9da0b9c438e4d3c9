"""The file of the attributes as columns, for filters. A column is read when a filter first asks for it."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.events.images import AttributeValue
from shared.index.filters.column import Column
from shared.index.filters.table import FieldTable
from shared.index.sealed.arrow import read_batch, write_batch
from shared.index.sealed.ids import IdFile
from shared.index.sealed.rows import RowFile
from shared.index.segment import Row

FILE = "fields.arrow"
_SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("rows", pa.large_list(pa.int32()), nullable=False),
        pa.field("numbers", pa.large_list(pa.int32()), nullable=False),
        pa.field("values", pa.large_binary(), nullable=False),  # msgpack
    ]
)
_encode = msgspec.msgpack.Encoder().encode
_values = msgspec.msgpack.Decoder(list[AttributeValue])


def write_fields(path: Path, rows: Sequence[Row]) -> None:
    table = FieldTable(rows, {})
    for number, row in enumerate(rows):
        table.append(number, row)
    columns = sorted(table.columns.items())
    arrays = [
        pa.array([name for name, _ in columns], pa.string()),
        pa.array([column.rows for _, column in columns], pa.large_list(pa.int32())),
        pa.array([column.numbers for _, column in columns], pa.large_list(pa.int32())),
        pa.array([_encode(column.values) for _, column in columns], pa.large_binary()),
    ]
    write_batch(path, pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))


class FieldFile:
    """Implements Fields. Raises ValueError where the file is no such file."""

    def __init__(self, path: Path, rows: RowFile, ids: IdFile) -> None:
        self._batch = read_batch(path, _SCHEMA)
        self._place_of = {name: place for place, name in enumerate(self._batch.column("name").to_pylist())}
        self._rows = rows
        self._ids = ids
        self.times = cache(self._read_times)
        self.column = cache(self._read_column)

    def __len__(self) -> int:
        return len(self._rows)

    def system_values(self, name: str) -> Iterator[AttributeValue]:
        return self._rows.values(name.removeprefix("@"))

    def row_of(self, image_id: str) -> int | None:
        return self._ids.find(image_id)

    def _read_times(self, name: str) -> npt.NDArray[np.float64]:
        return self._rows.times(name.removeprefix("@"))

    def _read_column(self, name: str) -> Column | None:
        place = self._place_of.get(name)
        if place is None:
            return None
        rows, numbers, values = (self._batch.column(part)[place] for part in ("rows", "numbers", "values"))
        return Column.of(rows.values.to_numpy(), numbers.values.to_numpy(), _values.decode(values.as_buffer()))
