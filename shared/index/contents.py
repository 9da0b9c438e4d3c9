"""Everything that a shard holds at one position, so that it can be sealed, described in a manifest, and restored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.events.images import SourcePosition
from shared.index.filters.column import Mask
from shared.index.sealed.description import SegmentDescription
from shared.index.segment import Row


@dataclass(frozen=True, slots=True)
class Deleted:
    """A delete that is remembered. deleted_at: Unix milliseconds."""

    id: str
    source: SourcePosition
    deleted_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPart:
    """A sealed segment of a shard. live: which of its rows are current, bool, (rows,)."""

    description: SegmentDescription
    live: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardContents:
    """What a shard holds at `position`. rows and codes: those in no sealed segment, by ascending offset.

    scheme, code_bytes: what all codes must be of, also where there is none any more; None before the first.
    """

    position: int
    scheme: str | None
    code_bytes: int | None
    checksum: str
    deleted: Sequence[Deleted]
    sealed: Mapping[str, SealedPart]
    rows: Sequence[Row]
    codes: npt.NDArray[np.uint8]
