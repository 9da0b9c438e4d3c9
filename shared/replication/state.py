"""What a replica says of itself. Apart from the replica, for those who only read it and hold no index."""

from dataclasses import dataclass
from enum import StrEnum


class ReplicaState(StrEnum):
    EMPTY = "empty"
    LOADING = "loading"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    GAP = "gap"
    """Something is missing between this copy and the log's head, and is being fetched."""
    STALE = "stale"
    """The log's head could not be confirmed for five seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLag:
    """How far a copy is behind its log.

    offsets: to the position that the log has reached, as far as the copy has heard. seconds: since the copy was last
    seen to have all of the log, which is looked for every second.
    """

    offsets: int
    seconds: float
