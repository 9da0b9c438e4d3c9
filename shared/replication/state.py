"""What a replica says of itself. Apart from the replica, for those who only read it and hold no index."""

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
