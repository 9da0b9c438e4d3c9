"""Our own programs, forked from a process that has imported them: `python -m services.…` without its imports.

To import torch and the rest takes a worker two seconds of a processor, and the suite starts hundreds of them. A
forked one runs the same module from its first line, in a session, an environment and with outputs of its own.
"""

import atexit
import functools
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import connection, get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path


class WarmProcess:
    """`python -m module arguments`, with what the suite needs of `subprocess.Popen`."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        env: Mapping[str, str],
        stdout: Path,
        stderr: Path | None = None,
        stdin: Path = Path(os.devnull),
    ) -> None:
        """env: the whole of it. stdout, stderr: files that are appended to; both into stdout where stderr is None."""
        files = (stdin, stdout, stderr or stdout)
        self._process = _forkserver().Process(target=_run, args=(module, [*arguments], {**env}, files), daemon=True)
        self._process.start()
        self._asking = threading.Lock()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it is started above"
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Its exit status where it has ended, and that of a signal is negative."""
        with self._asking:  # the status can be read once
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its exit status. Raises subprocess.TimeoutExpired."""
        connection.wait([self._process.sentinel], timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@functools.cache
def _forkserver() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.harness.warm_imports", __name__])
    return context


def _run(module: str, arguments: list[str], env: dict[str, str], files: tuple[Path, Path, Path]) -> None:
    """Be the program, in the process that was forked for it."""
    os.setsid()
    for number, file in enumerate(files):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT if number else os.O_RDONLY, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it is the program's standard input
    os.environ.clear()
    os.environ.update(env)
    if env.get("PYTHONUNBUFFERED"):
        for output in (sys.stdout, sys.stderr):
            output.reconfigure(write_through=True)  # type: ignore[union-attr]  # they are files here
    sys.argv = [module, *arguments]
    sys.modules.pop(f"{module}.__main__", None)  # else it would count as imported twice
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends a process without them
