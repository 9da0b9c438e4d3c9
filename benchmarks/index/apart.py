"""An object in a process of its own: so its memory can be told, and libraries do not get in each other's way."""

import multiprocessing
from collections.abc import Callable
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from shared.runtime.logging import configure_logging

_SPAWNED = multiprocessing.get_context("spawn")
"""A forked child would begin with this process's memory."""
_PATIENCE_S = 10.0


class Apart:
    """What `make` returns lives in a child, and its methods are called from here. Arguments and results are pickled.

    At the end it is closed, where it has a `close`.

    An exception there ends the child, and is raised here.
    """

    def __init__(self, make: Callable[..., object], *args: object) -> None:
        self._link, theirs = _SPAWNED.Pipe()
        self._process = _SPAWNED.Process(target=_serve, args=(theirs, make, args), daemon=True)
        self._process.start()
        theirs.close()
        self._name = getattr(make, "__name__", str(make))
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()
        self._process.join(_PATIENCE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def call(self, method: str, *args: object) -> Any:
        self._link.send((method, args))
        return self._answer()

    def _answer(self) -> Any:
        try:
            result = self._link.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError(f"the process of {self._name} ended with {self._process.exitcode}") from None
        if isinstance(result, BaseException):
            raise result
        return result


def apart(function: Callable[..., Any], *args: object) -> Any:
    """Call a function in a process of its own."""
    with Apart(_Once) as child:
        return child.call("run", function, args)


class _Once:
    def run(self, function: Callable[..., Any], args: tuple[object, ...]) -> Any:
        return function(*args)


def _serve(link: Connection, make: Callable[..., object], args: tuple[object, ...]) -> None:
    configure_logging(level="WARNING")
    try:
        served = make(*args)
        with ExitStack() as stack:
            if hasattr(served, "close"):
                stack.callback(served.close)
            _answer_calls(link, served)
    except Exception as error:  # noqa: BLE001 - the parent raises it
        with suppress(OSError):
            link.send(error)


def _answer_calls(link: Connection, served: object) -> None:
    """Until the parent hangs up."""
    link.send(None)
    while True:
        try:
            method, arguments = link.recv()
        except EOFError:
            return
        link.send(getattr(served, method)(*arguments))
