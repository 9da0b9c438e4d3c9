"""The calls themselves: they go to the recorder where tracing is on, and nowhere where it is not."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from shared.runtime.tracing.recorder import Recorder

Headers: TypeAlias = Sequence[tuple[str, bytes]]
"""Of a record: `traceparent` and `tracestate`, as W3C has them, among others."""
Attributes: TypeAlias = Mapping[str, str | int | float | bool]
Kind: TypeAlias = Literal["internal", "client", "producer", "consumer"]

NOTHING: Final = nullcontext()
PACKED_BYTES: Final = 24

_recorder: "Recorder | None" = None


def begin(recorder: "Recorder") -> None:
    """Have everything from now on recorded."""
    global _recorder  # noqa: PLW0603 - as with logs, there is one for the process
    _recorder = recorder


def end() -> None:
    """Record nothing more."""
    global _recorder  # noqa: PLW0603 - see above
    _recorder = None


def active() -> bool:
    """Whether tracing is on, be this image or query sampled or not."""
    return _recorder is not None


def provider() -> "TracerProvider | None":
    """For a library that makes spans by itself; None where tracing is off."""
    return None if _recorder is None else _recorder.provider


def operation(
    name: str, kind: Kind, attributes: Attributes | None = None, *, received: Headers | None = None
) -> AbstractContextManager[object]:
    """A span that may be the first of its trace.

    received: headers that name its parent, if there is one; None where that is what is under way here.
    """
    return NOTHING if _recorder is None else _recorder.operation(name, kind, attributes, received)


def apart() -> AbstractContextManager[object]:
    """What begins within is the first of its own trace, linked to what is under way here: one of many in a request."""
    return NOTHING if _recorder is None else _recorder.apart()


def stage(name: str, attributes: Attributes | None = None) -> AbstractContextManager[object]:
    """A span within what is under way here; none where that is not recorded."""
    return NOTHING if _recorder is None else _recorder.stage(name, attributes)


def batch(
    name: str, spans: "Collection[Span | None]", attributes: Attributes | None = None, *, kind: Kind = "internal"
) -> AbstractContextManager[object]:
    """A span of what is done to many at once: linked to the span of each, and each to it.

    It belongs to the trace of the first that is recorded, so that it is sampled as that is. spans: not ended yet, and
    None for each that is not recorded. From any thread.
    """
    return NOTHING if _recorder is None else _recorder.batch(name, spans, attributes, kind)


def started(name: str, kind: Kind, received: Headers, attributes: Attributes) -> "Span | None":
    """Start a span that its caller ends, within the trace that the headers name; None where that is not sampled."""
    return None if _recorder is None else _recorder.started(name, kind, received, attributes)


def elapsed(name: str, *, received: Headers, began_ns: int) -> None:
    """Record what is just over, within the trace that the headers name, if they do. began_ns: Unix time."""
    if _recorder is not None:
        _recorder.elapsed(name, received, began_ns)


def completing(
    name: str, packed_spans: Collection[bytes], attributes: Attributes | None = None
) -> AbstractContextManager[object]:
    """The last span of several traces, in each of them. packed_spans: its parents, as `packed` gave them."""
    if _recorder is None or not packed_spans:
        return NOTHING
    return _recorder.completing(name, packed_spans, attributes)


def current() -> "Span | None":
    """What is under way here; None where that is not recorded."""
    return None if _recorder is None else _recorder.current()


def note(attributes: Attributes) -> None:
    """Add to what is under way here."""
    if _recorder is not None and (span := _recorder.current()) is not None:
        span.set_attributes(attributes)


def headers() -> list[tuple[str, bytes]]:
    """Headers by which others find their parent in what is under way here; none where nothing is."""
    return [] if _recorder is None else _recorder.headers()


def packed(span: "Span") -> bytes:
    """A span in the fewest bytes that find it: the 16 of its trace, the 8 of itself. It is sampled: others are none."""
    context = span.get_span_context()
    return context.trace_id.to_bytes(16, "big") + context.span_id.to_bytes(8, "big")


def ids() -> tuple[str, str] | None:
    """The trace and the span that are under way here, as W3C writes them; None where nothing is."""
    return None if _recorder is None else _recorder.ids()
