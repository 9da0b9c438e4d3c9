"""The store of segments in memory, and the ways in which disks and buckets let their users down."""

from collections.abc import Callable, Iterable
from pathlib import Path

from shared.replication.store.objects import StoreUnavailable
from tests.property.simulation.stepping import step


class UnreliableStore:
    """Implements ObjectStore. Every call is a step of its own.

    now_ms: the time of day. down: nothing answers. full: nothing can be put. damaged: the paths of what is no longer
    what was put there. put_at: path → when it was put.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.down = False
        self.full = False
        self.damaged: set[str] = set()
        self.objects: dict[str, bytes] = {}
        self.put_at: dict[str, int] = {}

    def put(self, path: str, content: Path | bytes) -> None:
        data = content if isinstance(content, bytes) else content.read_bytes()
        self._arrive()
        if self.full:
            raise StoreUnavailable("no space left on device")
        self.objects[path] = data
        self.put_at[path] = self._now_ms()
        self.damaged.discard(path)

    def read(self, path: str) -> bytes:
        self._arrive()
        if path not in self.objects:
            raise FileNotFoundError(path)
        return self.objects[path]

    def fetch(self, path: str, to: Path) -> None:
        to.write_bytes(self.read(path))

    def names(self, prefix: str) -> dict[str, int]:
        self._arrive()
        found: dict[str, int] = {}
        for path, data in self.objects.items():
            if path.startswith(f"{prefix}/"):
                name, _, below = path.removeprefix(f"{prefix}/").partition("/")
                found[name] = 0 if below else len(data)
        return found

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._arrive()
            self.objects.pop(path, None)
            self.damaged.discard(path)

    def flip(self, path: str, bit: int) -> None:
        """Turn one bit of an object over; the bit is counted modulo their number."""
        self.objects[path] = flipped(self.objects[path], bit)
        self.damaged.add(path)

    def _arrive(self) -> None:
        step()
        if self.down:
            raise StoreUnavailable("the store is down")


def flipped(data: bytes, bit: int) -> bytes:
    place, bit = divmod(bit % (8 * len(data)), 8)
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
