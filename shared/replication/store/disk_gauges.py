"""The disk under a worker's segments, as gauges: the same of an indexer's and of a searcher's."""

import shutil
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge


class DiskGauges:
    """prefix: what their names begin with. Both are 0 until a folder is watched: a worker may have no store."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self._size = Gauge(f"{prefix}_disk_bytes", "Bytes of the disk where segments are kept", registry=registry)
        self._free = Gauge(f"{prefix}_disk_free_bytes", "Bytes of it that are free", registry=registry)

    def watch(self, folder: Path) -> None:
        """Look at each scrape."""
        self._size.set_function(lambda: shutil.disk_usage(folder).total)
        self._free.set_function(lambda: shutil.disk_usage(folder).free)
