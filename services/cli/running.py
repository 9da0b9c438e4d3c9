"""Running a command: its settings, its loop, Ctrl-C and SIGTERM, and its failures as sentences."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import typer
from rich.console import Console

from services.cli.failures import Failure, Status
from services.cli.settings import CliSettings
from services.cli.stack import BrokerMissingError, ChildDiedError, RedisMissingError
from shared.bus.cluster import ClusterError
from shared.client import BusUnavailable, NoAnswer
from shared.events.faults import PoisonInput, TransientFault
from shared.replication.log import LogUnavailable
from shared.runtime.logging import configure_logging
from shared.runtime.settings import BadSettings, LogSettings, load_or_exit
from shared.runtime.tracing.process import traced

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Command = Callable[[CliSettings], Awaitable[Status]]

_EXPECTED = (
    BusUnavailable,
    NoAnswer,
    PoisonInput,
    LogUnavailable,
    ClusterError,
    TransientFault,
    ChildDiedError,
    BrokerMissingError,
    RedisMissingError,
)


def run(command: Command) -> None:
    """Run a command to its end, and end the process with its status."""
    settings = load_or_exit(CliSettings)
    tracing = partial(traced, settings, service="afterimage-cli")
    _run(command(settings), settings, interrupted=Status.OK, tracing=tracing)


def run_locally(command: Callable[[], Awaitable[Status]]) -> None:
    """The same, for a command that needs neither Kafka nor Redis. It fails when it is interrupted."""
    _run(command(), load_or_exit(LogSettings), interrupted=Status.FAILED)


def _run(
    command: Awaitable[Status],
    settings: LogSettings,
    *,
    interrupted: Status,
    tracing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    configure_logging(log_format=settings.log_format, level="WARNING")
    try:
        with tracing():
            status = asyncio.run(_until_signal(command, interrupted))
    except Failure as failure:
        _explain(failure)
        status = failure.status
    except BadSettings as error:
        err.print(str(error), soft_wrap=True, markup=False)
        status = Status.MISUSED
    except _EXPECTED as error:
        _explain(error)
        status = Status.FAILED
    raise typer.Exit(status)


def _explain(error: Exception) -> None:
    """Print the sentence as it is: what is in brackets may be a form to be written, and no style."""
    err.print("[red]afterimage:[/red]", end=" ")
    err.print(str(error), soft_wrap=True, markup=False)


async def _until_signal(command: Awaitable[Status], interrupted: Status) -> Status:
    """Let Ctrl-C and SIGTERM end the command in good order, with the status given."""
    work = asyncio.ensure_future(command)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        work.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        return await work
    except asyncio.CancelledError:
        if stopped:
            return interrupted
        raise
