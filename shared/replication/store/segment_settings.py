"""What workers that hold shards need to know of where their segments are kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import Field

from shared.index.sealed.writing import UNFINISHED
from shared.index.vectors import VectorFormat
from shared.replication.store.objects import open_store
from shared.replication.store.segment_store import SegmentStore
from shared.replication.store.settings import StoreSettings


class SegmentSettings(StoreSettings):
    segment_folder: Path | None = Field(
        default=None,
        description="where this worker alone builds, fetches and maps segments; unset, a temporary folder",
    )

    @contextmanager
    def open_segments(self, vector_format: VectorFormat) -> Iterator[SegmentStore | None]:
        """The store of segments, and this worker's folder for them; None where no store is set."""
        if self.segment_store is None:
            yield None
            return
        if self.segment_folder is not None:
            self.segment_folder.mkdir(parents=True, exist_ok=True)
            for left_behind in self.segment_folder.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left_behind, ignore_errors=True)
            yield SegmentStore(open_store(self.segment_store), self.segment_folder, vector_format)
            return
        with TemporaryDirectory(prefix="afterimage-segments-") as folder:
            yield SegmentStore(open_store(self.segment_store), Path(folder), vector_format)
