"""The two stores that a command copies between, as its arguments name them."""

from pathlib import Path

from services.cli.failures import Failure, Status
from services.cli.settings import CliSettings
from shared.replication.store.objects import ObjectStore, open_store


def store_of_segments(settings: CliSettings) -> ObjectStore:
    """The one that the workers use. Raises Failure."""
    if settings.segment_store is None:
        raise Failure(
            "AFTERIMAGE_SEGMENT_STORE is not set: give it here as the workers have it. Without one, shards are in "
            "memory alone, and nothing is sealed",
            Status.MISUSED,
        )
    return open_store(settings.segment_store)


def snapshot_store(place: str, settings: CliSettings) -> ObjectStore:
    """The one at a folder or an s3:// address. Raises Failure where the workers use it."""
    if not place.startswith("s3://"):
        place = str(Path(place).expanduser().resolve())
    if place.rstrip("/") == (settings.segment_store or "").rstrip("/"):
        raise Failure(f"{place} is the store of the workers itself: a snapshot is kept apart from it", Status.MISUSED)
    return open_store(place)
