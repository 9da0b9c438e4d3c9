"""Having the client's spans among those of an application that traces by OpenTelemetry itself."""

from typing import TYPE_CHECKING

from shared.runtime import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider


def trace_client(provider: "TracerProvider") -> None:
    """Record uploads, deletes and searches of all clients in this process, by the application's own provider."""
    from shared.runtime.tracing.recorder import Recorder  # noqa: PLC0415 - nothing of it is loaded in vain

    tracing.begin(Recorder(provider))
