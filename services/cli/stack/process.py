"""One child process: started, heard, and ended."""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.cli.stack.output import Output, output_pipe
from services.cli.stack.probes import Probe
from services.cli.stack.reaper import Reaper

LineSink = Callable[[str, str], None]
"""Takes a process's name and one line of its output, without the line's end."""

_REMEMBERED_LINES = 30
_POLL_S = 0.05
_LAST_WORDS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run, and when it is ready."""

    name: str
    command: Sequence[str]
    ready: Probe
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the parent's environment."""
    start_timeout_s: float = 120.0
    stop_grace_s: float = 15.0


class ChildDiedError(Exception):
    """A child ended although nobody asked it to, or never became ready. The message ends with its last lines."""

    def __init__(self, name: str, what: str, last_lines: Sequence[str]) -> None:
        said = "\n".join(f"    {line}" for line in last_lines) or "    (nothing)"
        super().__init__(f"{name} {what}. The last that it said:\n{said}")
        self.name = name


class Child:
    """A running child, in a session and process group of its own, so that Ctrl-C reaches it through us alone."""

    def __init__(self, spec: ChildSpec, process: asyncio.subprocess.Process, output: Output, reaper: Reaper) -> None:
        self._spec = spec
        self._process = process
        self._output = output
        self._reaper = reaper
        self._last_lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)
        self._is_ready = False
        self._is_stopping = False
        self._is_over = False

    @classmethod
    async def spawn(cls, spec: ChildSpec, reaper: Reaper) -> "Child":
        """Raises OSError where the command cannot be run at all."""
        with output_pipe() as (read_end, write_end):
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **spec.env},
                start_new_session=True,
            )
        reaper.adopt(process.pid)
        return cls(spec, process, await Output.open(read_end), reaper)

    async def attend(self, sink: LineSink) -> None:
        """Hand every line that it says to `sink`, until it has ended.

        raises ChildDiedError: it ended, and not by `stop`.
        """
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as patience, asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._hear(sink), name=f"hear {self._spec.name}")
                    await self._process.wait()
                    self._end_group()  # what it left behind would hold the pipe open
                    patience.reschedule(asyncio.get_running_loop().time() + _LAST_WORDS_S)
        finally:
            self._output.close()
        if not self._is_stopping:
            raise self._death()

    async def wait_ready(self) -> None:
        """Return when it is ready; that it ended before is for `attend` to say.

        raises ChildDiedError: its time to start is over.
        """
        try:
            async with asyncio.timeout(self._spec.start_timeout_s):
                while not await self._spec.ready():  # noqa: ASYNC110 - nothing here could set an event
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            what = f"was not ready after {self._spec.start_timeout_s:g} s"
            raise ChildDiedError(self._spec.name, what, self._last_lines) from None
        self._is_ready = True

    async def stop(self) -> None:
        """SIGTERM to the child, which ends its own children; after the grace, SIGKILL to all of its group."""
        self._is_stopping = True
        try:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                self._process.terminate()
                async with asyncio.timeout(self._spec.stop_grace_s):
                    await self._process.wait()
        finally:
            self._end_group()

    def kill(self) -> None:
        """SIGKILL to all of its group, at once."""
        self._is_stopping = True
        self._end_group()

    async def _hear(self, sink: LineSink) -> None:
        async for line in self._output.lines():
            self._last_lines.append(line)
            sink(self._spec.name, line)

    def _death(self) -> ChildDiedError:
        code = self._process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code and code < 0 else f"ended with status {code}"
        when = "while it was needed" if self._is_ready else "before it was ready"
        return ChildDiedError(self._spec.name, f"{how} {when}", self._last_lines)

    def _end_group(self) -> None:
        """Once only: when a group is gone, its number may be given to another."""
        if self._is_over:
            return
        self._is_over = True
        # macOS answers "not permitted" for a group that has only zombies left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._reaper.release(self._process.pid)
