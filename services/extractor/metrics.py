"""The extractor's own metrics; those of the bus are FastStream's."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.events.faults import RejectReason

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ExtractorMetrics:
    """Also an ExtractionObserver: the engine reports its steps here."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "afterimage_extractor_events",
            "Upload events dealt with, by outcome: encoded, deleted, rejected, forwarded or ignored",
            ["outcome"],
            registry=registry,
        )
        self.rejects = Counter(
            "afterimage_extractor_rejects",
            "Upload events rejected, by reason and stage",
            ["reason", "stage"],
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "afterimage_extractor_stage_seconds",
            "Seconds that a stage took: fetch, decode and publish for one image, encode for one batch",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_images = Histogram(
            "afterimage_extractor_batch_images",
            "Images in one run of the encoder",
            buckets=(1, 2, 4, 8, 16, 24, 32, 48, 64, 128, 256),
            registry=registry,
        )
        self.in_flight = Gauge("afterimage_extractor_in_flight", "Upload events under way", registry=registry)
        self.lag = Gauge(
            "afterimage_extractor_lag_records",
            "Records of images.uploaded that wait, by partition assigned here",
            ["partition"],
            registry=registry,
        )

        # A series that begins at 1 hides its first event from `increase()`.
        for outcome in ("encoded", "deleted", "rejected", "forwarded", "ignored"):
            self.events.labels(outcome)
        for reason in RejectReason:
            self.rejects.labels(reason.value, "extract")

    def decoded(self, seconds: float) -> None:
        self.stage_seconds.labels("decode").observe(seconds)

    def encoded(self, images: int, seconds: float) -> None:
        self.stage_seconds.labels("encode").observe(seconds)
        self.batch_images.observe(images)
