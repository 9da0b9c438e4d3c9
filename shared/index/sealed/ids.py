"""The file that finds a row by its id: the ids' hashes in ascending order, and whose each is.

Python objects for a million ids would take more memory than the index; here they take twelve bytes each, mapped.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa

from shared.index.sealed.arrow import read_batch, write_batch
from shared.index.sealed.rows import RowFile

FILE = "ids.arrow"
_SCHEMA = pa.schema(
    [pa.field("hash", pa.uint64(), nullable=False), pa.field("row", pa.int32(), nullable=False)],
)


def write_ids(path: Path, ids: Sequence[str]) -> None:
    hashes = np.fromiter(map(_hash, ids), np.uint64, len(ids))
    order = np.argsort(hashes, kind="stable")
    arrays = [pa.array(hashes[order]), pa.array(order.astype(np.int32))]
    write_batch(path, pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))


class IdFile:
    """Raises ValueError where the file is no such file."""

    def __init__(self, path: Path, rows: RowFile) -> None:
        batch = read_batch(path, _SCHEMA)
        self._hashes = memoryview(batch.column("hash").to_numpy())
        self._numbers = memoryview(batch.column("row").to_numpy())
        self._rows = rows

    def find(self, image_id: str) -> int | None:
        """Return the number of the row of that id, dead or alive; None where there is none."""
        wanted = _hash(image_id)
        place = bisect_left(self._hashes, wanted)
        while place < len(self._hashes) and self._hashes[place] == wanted:
            if self._rows.id(self._numbers[place]) == image_id:
                return int(self._numbers[place])
            place += 1
        return None


@lru_cache(maxsize=1)  # one segment after another is asked for the same id
def _hash(image_id: str) -> int:
    return int.from_bytes(blake2b(image_id.encode(), digest_size=8).digest())
