"""The extractor's own metrics; those of the bus are FastStream's."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.bus.consumer_metrics import ConsumerMetrics
from shared.bus.producer_metrics import ProducerMetrics
from shared.cache.extraction import CachedExtraction
from shared.cache.observer import Lookup
from shared.encoders.engine.device_info import DeviceInfo
from shared.encoders.engine.engine import ExtractionEngine
from shared.events.faults import RejectReason

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ExtractorMetrics:
    """Also an ExtractionObserver and a CacheObserver: the engine and the cache report their steps here."""

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
            "Seconds that a stage worked: fetch, cache, decode and publish on one image, encode on one batch",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.stage_images = Gauge(
            "afterimage_extractor_stage_images",
            "Images in a stage (fetch, cache, decode, encode, publish): those under work and those that wait for it",
            ["stage"],
            registry=registry,
        )
        self.stage_workers = Gauge(
            "afterimage_extractor_stage_workers",
            "How many images a stage works on at once, encode: batches. The stage whose seconds per second come "
            "closest to this is the one that all others wait for",
            ["stage"],
            registry=registry,
        )
        self.batch_images = Histogram(
            "afterimage_extractor_batch_images",
            "Images in one run of the encoder",
            buckets=(1, 2, 4, 8, 16, 24, 32, 48, 64, 128, 256),
            registry=registry,
        )
        self.batch_capacity = Gauge(
            "afterimage_extractor_batch_capacity_images", "The most images in one run of the encoder", registry=registry
        )
        self.device = DeviceInfo("afterimage_extractor", registry)
        self.image_bytes = Counter(
            "afterimage_extractor_image_bytes",
            "Bytes of the images that were taken in, by the way they came: inline or fetched",
            ["source"],
            registry=registry,
        )
        self.cache_lookups = Counter(
            "afterimage_extractor_cache_lookups",
            "Images looked up among those seen before, by outcome: hit, joined (the same image was under way), miss, "
            "unavailable (Redis did not say in time)",
            ["outcome"],
            registry=registry,
        )
        self.cache_saved_seconds = Counter(
            "afterimage_extractor_cache_saved_device_seconds",
            "Seconds of the device that the images took when they were encoded that needed no encoding now",
            registry=registry,
        )
        self.in_flight = Gauge("afterimage_extractor_in_flight", "Upload events under way", registry=registry)
        self.held = Gauge(
            "afterimage_extractor_held_bytes",
            "Bytes of fetched images that are held until they are encoded; at EXTRACTOR_MAX_FETCHED_MB fetching waits",
            registry=registry,
        )
        self.paused = Gauge(
            "afterimage_extractor_paused",
            "1 while nothing is fetched from images.uploaded, since what is under way does not get on",
            registry=registry,
        )
        self.consumer = ConsumerMetrics("afterimage_extractor", "images.uploaded", registry)
        self.producer = ProducerMetrics("afterimage_extractor", registry)

        # A series that begins at 1 hides its first event from `increase()`.
        for outcome in ("encoded", "deleted", "rejected", "forwarded", "ignored"):
            self.events.labels(outcome)
        for reason in RejectReason:
            self.rejects.labels(reason.value, "extract")
        for source in ("inline", "fetched"):
            self.image_bytes.labels(source)
        for lookup in Lookup:
            self.cache_lookups.labels(lookup.value)

    def watch(self, engine: ExtractionEngine, *, decoders: int, max_in_flight: int) -> None:
        """Show what the stages hold, and how much they can work on at once."""
        self.stage_images.labels("decode").set_function(lambda: engine.decoding)
        self.stage_images.labels("encode").set_function(lambda: engine.encoding)
        self.batch_capacity.set(engine.policy.max_batch)
        self.device.describe(engine)
        for stage, workers in (
            ("fetch", max_in_flight),
            ("decode", decoders),
            ("encode", 1),
            ("publish", max_in_flight),
        ):
            self.stage_workers.labels(stage).set(workers)

    def watch_cache(self, extraction: CachedExtraction, *, max_in_flight: int) -> None:
        """Show the cache as a stage; where there is none, it is none."""
        self.stage_images.labels("cache").set_function(lambda: extraction.looking_up)
        self.stage_workers.labels("cache").set(max_in_flight)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count one image in, and out again, and time it. For the stages that only wait for others."""
        with self.stage_images.labels(name).track_inprogress(), self.stage_seconds.labels(name).time():
            yield

    def decoded(self, seconds: float) -> None:
        self.stage_seconds.labels("decode").observe(seconds)

    def encoded(self, images: int, seconds: float) -> None:
        self.stage_seconds.labels("encode").observe(seconds)
        self.batch_images.observe(images)

    def looked_up(self, outcome: Lookup, seconds: float) -> None:
        self.cache_lookups.labels(outcome.value).inc()
        self.stage_seconds.labels("cache").observe(seconds)

    def saved(self, device_s: float) -> None:
        self.cache_saved_seconds.inc(device_s)
