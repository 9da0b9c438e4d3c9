"""Log lines of several processes in one terminal: aligned, each behind its process's name."""

import itertools
import threading
from typing import TextIO

_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)  # ANSI: cyan, yellow, green, magenta, blue, red, then bright ones


class Console:
    """Writes one line at a time. Coloured on a terminal, plain where the output goes to a file or a pipe."""

    def __init__(self, stream: TextIO, *, width: int = 0, colour: bool | None = None) -> None:
        """width: the longest name to expect. colour: None asks the stream whether it is a terminal."""
        self._stream = stream
        self._width = width
        self._coloured = stream.isatty() if colour is None else colour
        self._colours = itertools.cycle(_COLOURS)
        self._colour_of: dict[str, int] = {}
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} |"
        with self._lock:
            if self._coloured:
                if name not in self._colour_of:
                    self._colour_of[name] = next(self._colours)
                prefix = f"\x1b[{self._colour_of[name]}m{prefix}\x1b[0m"
            self._stream.write(f"{prefix} {text}\n")
            self._stream.flush()
