"""Which cores a process runs on. Only Linux tells, and only there can it be decided."""

import os
from collections.abc import Collection
from pathlib import Path


def cores_here() -> Collection[int]:
    """Return the numbers of the cores that this process may run on, as far as it is known: at least one."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}


def keep_to(cores: Collection[int], *processes: int) -> None:
    """Have processes, all of their threads and all that these start, run on those cores only."""
    if not hasattr(os, "sched_setaffinity"):
        return
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)
