"""What processes hold in memory (Linux)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

MIB = 1024 * 1024
_GROUP_FIELD = 2
"""Of what follows the name in /proc/PID/stat: state, parent, process group."""


def group_members(group: int) -> list[int]:
    """The processes of a process group, such as a worker and its children, by their ids."""
    return sorted(int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _group_of(stat) == group)


def proportional_bytes(pid: int) -> int:
    """The proportional set size: what the process holds, and of what it shares with others its share.

    So the sizes of a process and of its children add up. 0 for a process that has gone.
    """
    return _sum_of(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def resident_bytes(pid: int) -> int:
    """The resident set size. 0 for a process that has gone."""
    return _sum_of(Path(f"/proc/{pid}/status"), "VmRSS:")


@asynccontextmanager
async def sampled(group: int, samples: list[float], *, every_s: float = 1.0) -> AsyncIterator[None]:
    """Note what a process group holds, in MiB, as long as the context is open and once at its end.

    The kernel walks through all of its pages for that, some milliseconds each time: not to be done often.
    """

    def take() -> None:
        samples.append(sum(proportional_bytes(pid) for pid in group_members(group)) / MIB)

    async def sample() -> None:
        while True:
            await asyncio.sleep(every_s)
            await asyncio.to_thread(take)

    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        await asyncio.wait([sampling])
    take()


def _group_of(stat: Path) -> int | None:
    with suppress(OSError):
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[_GROUP_FIELD])
    return None


def _sum_of(file: Path, name: str) -> int:
    with suppress(OSError):
        for line in file.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0
