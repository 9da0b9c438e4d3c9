"""Reading the graph out of the bytes that USearch saves it as.

The layout of USearch 2.26 (a test holds it to that), numbers little-endian: rows and bytes per code as uint32, and the
codes by row; 64 bytes of header; as uint64 the number of nodes, the most links on upper levels and on the lowest, the
top level and the node to begin at; the level of each node as int16; and the nodes: key (8 bytes), level (2 bytes), and
for each of its levels, as uint32, the number of its links and room for the most of them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.index.kernels.agreed import NO_ROW

_KEY_AND_LEVEL_BYTES = 10
_HEADER_BYTES = 64
_SIZES_BYTES = 40

Links = npt.NDArray[np.uint32]


class Levels(NamedTuple):
    """The links of a graph.

    links: of each row on the lowest level, uint32 (rows, most), with NO_ROW behind the last. upper: one line for each
    row and level above, the top level first and its rows ascending: level, row, and its links there, as long.
    """

    links: Links
    upper: Links


def read_levels(saved: npt.NDArray[np.uint8]) -> Levels:
    """saved: what USearch saved, uint8 (bytes,), its keys the row numbers in ascending order."""
    rows, code_bytes = saved[:8].view(np.uint32).tolist()
    place = 8 + rows * code_bytes + _HEADER_BYTES
    nodes, most_above, most, _, entry = saved[place : place + _SIZES_BYTES].view(np.uint64).tolist()
    if nodes != rows:
        raise ValueError(f"the graph has {nodes} nodes for {rows} codes")
    place += _SIZES_BYTES
    levels = saved[place : place + 2 * rows].view(np.int16)
    place += 2 * rows
    lowest_bytes, above_bytes = 4 * (1 + most), 4 * (1 + most_above)
    sizes = _KEY_AND_LEVEL_BYTES + lowest_bytes + levels.astype(np.int64) * above_bytes
    starts = place + np.cumsum(sizes) - sizes + _KEY_AND_LEVEL_BYTES
    above = [
        _level(
            saved, np.flatnonzero(levels >= level), level, starts + lowest_bytes + (level - 1) * above_bytes, most_above
        )
        for level in range(int(levels.max()), 0, -1)
    ]
    if not above:
        alone = np.full((1, 2 + most_above), NO_ROW, np.uint32)
        alone[0, :2] = 1, entry
        above = [alone]
    return Levels(links=_links(saved, starts, most), upper=np.concatenate(above))


def _level(
    saved: npt.NDArray[np.uint8], rows: npt.NDArray[np.intp], level: int, starts: npt.NDArray[np.int64], most: int
) -> Links:
    names = np.stack([np.full(len(rows), level), rows], axis=1).astype(np.uint32)
    return np.concatenate([names, _links(saved, starts[rows], most)], axis=1)


def _links(saved: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], most: int) -> Links:
    """Read a number of links and the links at each start, which has no alignment."""
    words = np.lib.stride_tricks.sliding_window_view(saved, 4 * (1 + most))[starts].view(np.uint32)
    return np.where(np.arange(most) < words[:, :1], words[:, 1:], np.uint32(NO_ROW))
