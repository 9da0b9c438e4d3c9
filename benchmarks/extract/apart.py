"""A contender that is a piece of Python: it runs in a process of its own and is told through a socket what to do."""

import asyncio
import importlib
import sys
from collections.abc import Sequence
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Protocol

from benchmarks.extract.contender import Label
from benchmarks.extract.pictures import Pictures
from services.cli.stack.probes import Probe
from tests.harness.daemon import Daemon

_PATIENCE_S = 240.0


class Work(Protocol):
    """What such a contender does. Made once, with the number of threads that it may use."""

    def seconds(self, files: Sequence[Path]) -> float:
        """See Contender.seconds."""


class Apart:
    """A Contender that does some Work, a class named as `module:Class`."""

    def __init__(self, work: str, *, label: Label, threads: int, folder: Path) -> None:
        self.label = label
        self.daemon = _WorkProcess(work, threads, folder)
        self._link: Connection | None = None

    async def seconds(self, pictures: Pictures) -> float:
        return await asyncio.to_thread(self._ask, list(pictures.files))

    def _ask(self, files: Sequence[Path]) -> float:
        if self._link is None:
            self._link = Client(str(self.daemon.socket), family="AF_UNIX")
        self._link.send(files)
        if not self._link.poll(_PATIENCE_S):
            raise TimeoutError(f"{self.label.name} did not answer\n{self.daemon.tail()}")
        return float(self._link.recv())


class _WorkProcess(Daemon):
    """`python -m benchmarks.extract.apart`."""

    start_timeout_s = 240.0

    def __init__(self, work: str, threads: int, folder: Path) -> None:
        name = work.rpartition(":")[2]
        super().__init__(name, log=folder / f"{name}.log")
        self.socket = folder / f"{name}.socket"
        self._work = work
        self._threads = threads

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.extract.apart", self._work, str(self._threads), str(self.socket)]

    def probe(self) -> Probe:
        async def listens() -> bool:
            return self.socket.exists()

        return listens


def main(work: str, threads: str, socket: str) -> None:
    module, _, name = work.partition(":")
    doing: Work = getattr(importlib.import_module(module), name)(int(threads))
    with Listener(socket, family="AF_UNIX") as listener, listener.accept() as link:
        while True:
            try:
                files = link.recv()
            except EOFError:
                return
            link.send(doing.seconds(files))


if __name__ == "__main__":
    main(*sys.argv[1:])
