"""Opening files below a folder, and nowhere else."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


class NotAFile(OSError):
    """There is something else: a folder, a pipe, a socket, a device."""


def open_below(root: Path, names: Sequence[str]) -> int:
    """Return a descriptor of the regular file `root/name/name/...`, open for reading. Never blocks on a pipe.

    names: without links, "." and "..": each is opened in the folder that was opened before it, and a link is refused.
    So a path that was checked cannot be led elsewhere by whoever swaps one of its folders for a link meanwhile.
    Raises OSError; NotAFile for what is none, without having opened it, because that alone can act on a device.
    """
    folder = os.open(root, _FOLDER)
    try:
        for name in names[:-1]:
            inner = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        last = names[-1] if names else "."
        _require_file(os.stat(last, dir_fd=folder, follow_symlinks=False))
        file = os.open(last, _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        _require_file(os.fstat(file))
    except OSError:
        os.close(file)
        raise
    return file


def _require_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile
