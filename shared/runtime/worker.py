"""The life of a worker process: settings, logs, then the server until the end."""

from collections.abc import Callable
from typing import TypeVar

from shared.runtime.http import AsgiApp
from shared.runtime.logging import configure_logging
from shared.runtime.server import Stop, serve
from shared.runtime.settings import BadSettings, WorkerSettings, exit_for, load_or_exit
from shared.runtime.tracing.process import traced

S = TypeVar("S", bound=WorkerSettings)


def run_worker(settings_class: type[S], build: Callable[[S, Stop], AsgiApp], *, answers_callers: bool = False) -> None:
    """Run a worker until a signal, or the worker itself, ends it. Bad settings end it at once, with one sentence.

    answers_callers: as `serve` has it.
    """
    settings = load_or_exit(settings_class)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    worker = str(settings_class.model_config.get("env_prefix", "")).rstrip("_").lower()
    try:
        with traced(settings, service=f"afterimage-{worker}"):
            serve(
                lambda stop: build(settings, stop),
                host=settings.http_host,
                port=settings.http_port,
                answers_callers=answers_callers,
            )
    except BadSettings as error:
        exit_for(error)
