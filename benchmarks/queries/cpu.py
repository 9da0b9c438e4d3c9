"""Processor time of other processes (Linux)."""

import os
from contextlib import suppress
from pathlib import Path

from benchmarks.memory import group_members

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12
"""Of what follows the name in /proc/PID/stat."""


def group_cpu_s(group: int) -> float:
    """What a process group, such as a worker and its decoders, has taken so far, in hundredths of a second."""
    return sum(_cpu_s(Path(f"/proc/{pid}/stat")) for pid in group_members(group))


def _cpu_s(stat: Path) -> float:
    with suppress(OSError):
        fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS_PER_S
    return 0.0
