"""Structured logs: a constant event name and key=value, as text for people or JSON for machines."""

import logging
import sys
import time
from contextvars import ContextVar
from typing import Literal

import structlog

from shared.runtime import tracing
from shared.runtime.repetition import NowAndThen

LogFormat = Literal["text", "json"]
Logger = structlog.stdlib.BoundLogger

position: ContextVar[tuple[str, int, int] | None] = ContextVar("position", default=None)
"""Topic, partition and offset of the record that is being dealt with: every line about it tells them."""

_REPEATED_EVERY_S = 10.0
"""Kafka's client tries ten times a second to reach a broker that is gone, in each of its loops, and logs each time."""


def configure_logging(*, log_format: LogFormat = "text", level: str = "INFO") -> None:
    """Send our logs, and those of the libraries, to standard error in one form."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _where,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        stamp,
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    if log_format == "text":
        common = [processor for processor in common if processor is not structlog.processors.format_exc_info]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(NowAndThen(("aiokafka", "opentelemetry"), every_s=_REPEATED_EVERY_S, clock=time.monotonic))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("aiokafka", "uvicorn", "uvicorn.error", "aiohttp", "PIL"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _where(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the position of the record, and the trace, that a line is about."""
    if (at := position.get()) is not None:
        for name, value in zip(("topic", "partition", "offset"), at, strict=True):
            event.setdefault(name, value)
    if (ids := tracing.ids()) is not None:
        event["trace_id"], event["span_id"] = ids
    return event


def get_logger(name: str) -> Logger:
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
