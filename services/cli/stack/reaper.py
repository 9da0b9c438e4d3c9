"""Whatever ends the parent, `kill -9` included, its children end too and its temporary folders go.

The reaper is a process of its own that reads a pipe from the parent. The kernel closes that pipe when the parent
ends, however it ends. This works the same on Linux and macOS, and reaches grandchildren, which
PR_SET_PDEATHSIG does not.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

GRACE_S = 5.0


class Reaper:
    """The parent's side. Each method is one short write to the pipe; callable from any thread."""

    def __init__(self) -> None:
        # In a session of its own, so that neither Ctrl-C nor a kill of the parent's process group reaches it.
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this file
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def adopt(self, group: int) -> None:
        """End this process group when the parent is gone."""
        self._tell(f"+{group}")

    def release(self, group: int) -> None:
        """The group has ended: its number may soon be someone else's."""
        self._tell(f"-{group}")

    def adopt_folder(self, folder: Path) -> None:
        """Remove this folder when the parent is gone, after the processes that may write to it."""
        self._tell(f"/{folder.absolute()}")

    def close(self) -> None:
        """End what was adopted and not released, then the reaper itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, line: str) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the reaper has no pipe")
        with contextlib.suppress(BrokenPipeError):  # without its reaper the parent still ends its children itself
            self._process.stdin.write(os.fsencode(line) + b"\n")


def reap() -> None:
    """The reaper's side: collect what the parent says until its pipe closes, then clean up."""
    groups: list[int] = []
    folders: list[str] = []
    for line in sys.stdin.buffer:
        kind, value = chr(line[0]), os.fsdecode(line[1:].rstrip(b"\n"))
        if kind == "+":
            groups.append(int(value))
        elif kind == "-":
            groups.remove(int(value))
        else:
            folders.append(value)

    deadline = time.monotonic() + GRACE_S
    for group in reversed(groups):
        _signal(group, signal.SIGTERM)
    while time.monotonic() < deadline and any(_signal(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _signal(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _signal(group: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    reap()
