"""Where files of tests are written that need not outlive the machine: in memory, where the machine has such a folder.

Our code waits for the disk after each file that it writes, which takes more time than everything else.
"""

from pathlib import Path

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - what is written there goes into folders with names of their own
SCRATCH = _IN_MEMORY if _IN_MEMORY.is_dir() else None
"""For the `dir` of `tempfile`, where None means its usual place."""
