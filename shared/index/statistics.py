"""How large a shard is, and how much of it is of no use any more."""

import msgspec


class ShardStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """rows: those that are current. dead_rows: replaced or deleted ones that still take room. segments: sealed ones.

    memory_bytes: what the codes of the growing segment occupy. mapped_bytes: what the files of the sealed ones do.
    """

    rows: int = 0
    dead_rows: int = 0
    segments: int = 0
    memory_bytes: int = 0
    mapped_bytes: int = 0
