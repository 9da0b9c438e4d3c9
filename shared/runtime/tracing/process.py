"""Tracing for the life of a process, where its settings ask for it."""

from contextlib import AbstractContextManager, nullcontext

from shared.runtime.settings import BadSettings, TracingSettings


def traced(settings: TracingSettings, *, service: str) -> AbstractContextManager[None]:
    """Trace within the context, where there is a collector to send to. Raises BadSettings.

    service: who this is, such as ``afterimage-extractor``; OTEL_SERVICE_NAME comes before it.
    """
    if settings.otlp_endpoint is None:
        return nullcontext()
    try:
        from shared.runtime.tracing.exporting import exporting  # noqa: PLC0415 - nothing of it is loaded in vain
    except ImportError as error:
        raise BadSettings(
            f"OTEL_EXPORTER_OTLP_ENDPOINT={settings.otlp_endpoint!r} cannot be used: {error.name} is not installed; "
            "install afterimage[tracing], or unset it"
        ) from error
    try:
        return exporting(settings.otlp_endpoint, service=service)
    except ValueError as error:
        raise BadSettings(f"tracing cannot begin, for one of the variables OTEL_*: {error}") from error
