"""What must be in every copy: of all events for an id the one that was uploaded last, whenever it arrived."""

from shared.events.images import SourcePosition
from shared.events.operations import Delete, Operation, Upsert
from shared.index.checksum import LiveChecksum
from shared.index.segment import Row
from shared.index.shard import Shard

_QUERY_OF_EVERYTHING = bytes([1, 2, 3, 4])


class Divergence(AssertionError):
    """A promise was broken; the text says which, and when."""


class Content(dict[str, Upsert]):
    """The images of a shard at one position. The offset of each is that of the event's record that put it last."""

    @property
    def checksum(self) -> str:
        checksum = LiveChecksum()
        for upsert in self.values():
            checksum.add(_row(upsert), upsert.code)
        return checksum.value

    def check(self, shard: Shard, who: str) -> None:
        """Compare with everything that a copy says of itself. Raises Divergence."""
        if (len(shard), shard.checksum) != (len(self), self.checksum):
            raise Divergence(
                f"{who} has {len(shard)} rows of checksum {shard.checksum} at {shard.position} instead of "
                f"{len(self)} of {self.checksum}"
            )
        found = {match.row.id for match in shard.search(_QUERY_OF_EVERYTHING, len(self) + 1)}
        if found != self.keys():
            raise Divergence(f"{who} finds {sorted(found)} at {shard.position} instead of {sorted(self)}")
        for image_id, upsert in self.items():
            if (restated := shard.winner(image_id, offset=upsert.offset)) != upsert:
                raise Divergence(f"{who} holds {restated} at {shard.position} instead of {upsert}")


class Truth:
    """A dictionary for each offset, and never a shard."""

    def __init__(self) -> None:
        self.scheme: str | None = None
        self.foreign: dict[int, SourcePosition] = {}
        """The offsets of codes of another scheme than the rows', which are rejected, and the events they came from."""
        self._newest: dict[str, int] = {}
        self._contents: list[Content] = []

    def add(self, operation: Operation) -> None:
        content = Content(self.at(operation.offset - 1))
        self._contents.append(content)
        if operation.source.offset < self._newest.get(operation.id, -1):
            return
        if isinstance(operation, Delete):
            content.pop(operation.id, None)
            self.scheme = self.scheme if content else None
        elif self.scheme in (None, operation.scheme):
            self.scheme = operation.scheme
            content[operation.id] = operation
        else:
            self.foreign[operation.offset] = operation.source
            return
        self._newest[operation.id] = operation.source.offset

    def at(self, position: int) -> Content:
        return self._contents[position] if position >= 0 else Content()


def _row(upsert: Upsert) -> Row:
    return Row(
        id=upsert.id,
        offset=upsert.offset,
        source=upsert.source,
        uploaded_at=upsert.uploaded_at,
        occurred_at=upsert.occurred_at,
        uri=upsert.uri,
        attributes=upsert.attributes,
    )
