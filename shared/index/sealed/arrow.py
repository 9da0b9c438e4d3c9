"""Arrow IPC files: one batch of columns, written once, and read where it lies."""

from pathlib import Path

import pyarrow as pa


def write_batch(path: Path, batch: pa.RecordBatch) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def read_batch(path: Path, schema: pa.Schema) -> pa.RecordBatch:
    """Map the file. Raises ValueError where it holds something else than one batch of this schema."""
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        if reader.num_record_batches != 1 or not reader.schema.equals(schema):
            raise ValueError(f"{path} holds other columns than this release reads: {reader.schema}")
        return reader.get_batch(0)
