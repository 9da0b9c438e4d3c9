"""Which device encodes, as a metric: to be read beside how busy it is."""

from prometheus_client import CollectorRegistry, Gauge

from shared.encoders.engine.engine import ExtractionEngine


class DeviceInfo:
    """prefix: what its name begins with. Nothing is shown until there is an engine."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self._info = Gauge(
            f"{prefix}_device_info",
            "1, for the device that encodes, what runs the network on it, and its numbers",
            ["device", "backend", "precision"],
            registry=registry,
        )

    def describe(self, engine: ExtractionEngine) -> None:
        self._info.labels(engine.device, engine.backend, engine.scheme.precision).set(1)
