"""Which offsets are complete, so that nothing is committed before all that stands ahead of it is done."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Assigned:
    """One partition, for as long as it stays assigned."""

    open: OrderedDict[int, bool] = field(default_factory=OrderedDict)
    """Offset → whether it is done, in order of arrival, from the first that is not."""
    next_offset: int | None = None
    committed: int | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """Stands for one record under way. Worth nothing after its partition was revoked."""

    partition: _Assigned
    offset: int

    @property
    def void(self) -> bool:
        return self.partition.revoked


class OffsetLedger:
    """Tracks records that are processed out of order, and says what may be committed.

    A partition that is revoked and assigned again is a new one here: what was under way for the old assignment no
    longer counts, since its records are delivered again.
    """

    def __init__(self) -> None:
        self._partitions: dict[int, _Assigned] = {}

    def begin(self, partition: int, offset: int) -> Ticket:
        assigned = self._partitions.setdefault(partition, _Assigned())
        assigned.open[offset] = False
        return Ticket(assigned, offset)

    def done(self, ticket: Ticket) -> None:
        open_offsets = ticket.partition.open
        if ticket.offset in open_offsets:
            open_offsets[ticket.offset] = True
        while open_offsets and open_offsets[offset := next(iter(open_offsets))]:
            del open_offsets[offset]
            ticket.partition.next_offset = offset + 1

    def forget(self, partitions: Collection[int]) -> None:
        for partition in self._partitions.keys() & set(partitions):
            self._partitions.pop(partition).revoked = True

    def committable(self) -> dict[int, int]:
        """The offsets to commit, as Kafka counts: that of the next record. Only what was not committed yet."""
        return {
            partition: assigned.next_offset
            for partition, assigned in self._partitions.items()
            if assigned.next_offset is not None and assigned.next_offset != assigned.committed
        }

    def committed(self, offsets: dict[int, int]) -> None:
        for partition, offset in offsets.items():
            if partition in self._partitions:
                self._partitions[partition].committed = offset
