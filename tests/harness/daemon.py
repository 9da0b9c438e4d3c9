"""A server that a test starts, stops, kills and starts again.

Plain subprocesses, not tied to an event loop, so that a session's broker outlives the loop of each test.
The methods block; a test whose own tasks must go on meanwhile calls them through `asyncio.to_thread`.
"""

import asyncio
import atexit
import contextlib
import functools
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from services.cli.stack.probes import Probe
from services.cli.stack.reaper import Reaper
from tests.harness.warm import WarmProcess

POLL_S = 0.05
TAIL_LINES = 40

started_in_this_test: "list[Daemon]" = []
"""Whose logs a failing test shows."""


class DaemonFailedError(AssertionError):
    """A server did not start, or did not stay; the message carries the end of its log."""


class Daemon(ABC):
    """One server process, in a process group of its own, its output in a file."""

    start_timeout_s = 60.0
    stop_timeout_s = 20.0

    def __init__(self, name: str, *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._env = dict(env or {})
        self._process: subprocess.Popen[bytes] | WarmProcess | None = None
        self._lifecycle = threading.RLock()

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What to run; asked again at every start."""

    @abstractmethod
    def probe(self) -> Probe:
        """How to see that it is ready."""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise DaemonFailedError(f"{self.name} is not started")
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and return when it is ready."""
        with self._lifecycle:
            if self.alive:
                raise DaemonFailedError(f"{self.name} is running already")
            self.spawn()
            self.wait_ready()
        return self

    def spawn(self) -> None:
        """Start it and return at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = self._launch({**os.environ, **self._env})
        session_reaper().adopt(self._process.pid)
        if self not in started_in_this_test:
            started_in_this_test.append(self)

    def wait_ready(self, timeout_s: float | None = None) -> None:
        deadline = time.monotonic() + (timeout_s or self.start_timeout_s)
        ready = self.probe()
        while not _answer(ready):
            if not self.alive:
                code = self._process.returncode if self._process else None
                raise DaemonFailedError(f"{self.name} ended with {code} before it was ready\n{self.tail()}")
            if time.monotonic() > deadline:
                raise DaemonFailedError(f"{self.name} was not ready in time\n{self.tail()}")
            time.sleep(POLL_S)

    def wait_ended(self, timeout_s: float) -> int:
        """Wait until it ends by itself; returns its exit status."""
        if self._process is None:
            raise DaemonFailedError(f"{self.name} is not started")
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise DaemonFailedError(f"{self.name} did not end in time\n{self.tail()}") from None

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and insist when it does not."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`: no goodbye, as in a crash."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: it holds its connections and answers nothing."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Stop it where it still runs, then start it on the same ports and data."""
        with self._lifecycle:
            self.stop()
            self.start()

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The end of its log, for a failure's message."""
        if not self.log.exists():
            return "(no log)"
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return f"--- {self.name}: last lines of {self.log}\n" + "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.kill()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, env: Mapping[str, str]) -> subprocess.Popen[bytes] | WarmProcess:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [*self.command()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )

    def _end(self, number: signal.Signals) -> None:
        with self._lifecycle:
            process = self._process
            if process is None:
                return
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)  # a paused one hears SIGTERM only when it goes on
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.stop_timeout_s)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # itself, if it would not end, and what it left behind
            process.wait()
            session_reaper().release(process.pid)
            self._process = None


@functools.cache
def session_reaper() -> Reaper:
    """One for the whole test run: it ends the servers of a run that was killed."""
    reaper = Reaper()
    atexit.register(reaper.close)
    return reaper


def _answer(probe: Probe) -> bool:
    """Ask from a thread of its own, since the caller's may have a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_ask(probe))).result()


async def _ask(probe: Probe) -> bool:
    return await probe()
