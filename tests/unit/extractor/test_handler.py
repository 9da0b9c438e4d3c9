"""What the extractor makes of one record."""

import asyncio
import json

import pytest
from prometheus_client import CollectorRegistry

from services.extractor.handler import ExtractUploads
from services.extractor.metrics import ExtractorMetrics
from services.extractor.reject_limit import RejectLimit, RejectLimitReached
from shared.bus.consumer import Record
from shared.bus.partitions import partition_of
from shared.cache.extraction import CachedExtraction
from shared.events import headers as hdr
from shared.events import rejects
from shared.events.faults import PoisonInput, RejectReason
from shared.events.features import read_operation
from shared.events.images import SourcePosition
from shared.events.operations import Delete, Upsert
from shared.events.rejects import read_reject, redrive_headers
from shared.events.topics import Topics
from shared.events.upload_forms import UploadImage
from shared.events.uploads import read_upload_events, write_native
from shared.imaging.budget import ByteBudget, Room
from tests.fakes.code_cache import FakeCodeCache
from tests.fakes.engine import BOMB, DEVICE_S, POISON, FakeEngine
from tests.fakes.operations import SCHEME
from tests.fakes.producer import FakeProducer, Produced
from tests.fakes.records import make_record

TOPICS = Topics()
PARTITIONS = 4
OFFSET, UPLOADED_AT = 41, 1_700_000_000_000
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
MOST_REJECTS = 3
MAX_BYTES = 100
MEGABYTE = bytes(1024 * 1024)


class Bench:
    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.producer = FakeProducer()
        self.budget = ByteBudget(MAX_BYTES)
        self.registry = CollectorRegistry()
        metrics = ExtractorMetrics(self.registry)
        metrics.held.set_function(lambda: self.budget.held)
        self.stored = {"s3://shop/cat": b"\1\2\3\4", "s3://shop/poison": POISON, "s3://shop/cat 2": b"\5\6\7\x08"}
        self.handler = ExtractUploads(
            topics=TOPICS,
            partitions=PARTITIONS,
            fetch=self._fetch,
            budget=self.budget,
            extract=CachedExtraction(
                self.engine.extract, scheme=SCHEME, cache=FakeCodeCache(), observer=metrics
            ).extract,
            scheme=SCHEME,
            producer=self.producer,  # type: ignore[arg-type]
            metrics=metrics,
            reject_limit=RejectLimit(max_consecutive=MOST_REJECTS, max_ratio=0, stop=lambda: None),
        )

    async def _fetch(self, uri: str, room: Room) -> bytes:
        if uri not in self.stored:
            raise PoisonInput(RejectReason.NOT_FOUND, f"{uri} points at nothing")
        await room.wait_for(len(self.stored[uri]))
        return self.stored[uri]

    @property
    def features(self) -> list[Produced]:
        return self.producer.to(TOPICS.features)

    @property
    def rejected(self) -> list[Produced]:
        return self.producer.to(TOPICS.rejected)

    @property
    def forwarded(self) -> list[Produced]:
        return self.producer.to(TOPICS.uploaded)

    def operation(self) -> Upsert | Delete:
        """What the one feature record that was written does to the index."""
        [record] = self.features
        return read_operation(offset=0, timestamp=9, key=record.key, value=record.value, headers=record.headers)

    def counted(self, outcome: str) -> float:
        return self.registry.get_sample_value("afterimage_extractor_events_total", {"outcome": outcome}) or 0.0


@pytest.fixture
async def bench() -> Bench:
    return Bench()


def record(
    value: bytes | None,
    *,
    image_id: str = "cat",
    key: bytes | None = None,
    partition: int | None = None,
    headers: list[tuple[str, bytes]] | None = None,
    offset: int = OFFSET,
) -> Record:
    return make_record(
        topic=TOPICS.uploaded,
        partition=partition_of(image_id, PARTITIONS) if partition is None else partition,
        offset=offset,
        key=image_id.encode() if key is None else key,
        value=value,
        headers=headers or [],
        timestamp=UPLOADED_AT,
    )


def inline(data: bytes, image_id: str = "cat") -> bytes:
    return write_native(UploadImage(id=image_id, data=data))


def home(image_id: str = "cat") -> int:
    return partition_of(image_id, PARTITIONS)


async def test_an_upload_becomes_a_feature_of_its_event(bench: Bench) -> None:
    upload = UploadImage(id="cat", uri="s3://shop/cat", attributes={"price": 3})
    await bench.handler.process(record(write_native(upload), headers=[TRACE]))
    operation = bench.operation()
    assert isinstance(operation, Upsert)
    assert (operation.id, operation.code, operation.scheme) == ("cat", b"\1\2\3\4", SCHEME)
    assert operation.source == SourcePosition(offset=OFFSET, partition=home())
    assert (operation.uploaded_at, operation.uri, operation.attributes) == (UPLOADED_AT, "s3://shop/cat", {"price": 3})
    assert TRACE in bench.features[0].headers
    assert bench.counted("encoded") == 1


async def test_a_delete_becomes_a_tombstone_that_says_where_it_was_asked_for(bench: Bench) -> None:
    await bench.handler.process(record(None))
    assert bench.features[0].value is None
    assert bench.operation().source == SourcePosition(offset=OFFSET, partition=home())
    assert bench.counted("deleted") == 1


@pytest.mark.parametrize("value", [inline(b"1234"), None], ids=["upload", "delete"])
async def test_an_event_on_the_partition_of_another_id_is_forwarded_to_that_of_its_own(
    bench: Bench, value: bytes | None
) -> None:
    await bench.handler.process(record(value, partition=(home() + 1) % PARTITIONS, headers=[TRACE]))
    [forwarded] = bench.forwarded
    assert forwarded.key == b"cat"
    assert forwarded.partition is None  # the key decides
    assert read_upload_events(b"cat", forwarded.value, ()) == read_upload_events(b"cat", value, ())
    assert forwarded.headers == (TRACE,)
    assert bench.features == []
    assert bench.counted("forwarded") == 1


async def test_a_redriven_event_keeps_its_place_among_the_events_of_its_id(bench: Bench) -> None:
    await bench.handler.process(record(inline(POISON), offset=7))
    [reject] = bench.rejected
    again = redrive_headers(reject.headers)
    await bench.handler.process(record(inline(b"1234"), headers=again, offset=500))
    assert bench.operation().source == SourcePosition(offset=7, partition=home())


@pytest.mark.parametrize(
    ("partition", "offset"),
    [(home() + 1, 3), (home(), OFFSET), (home(), OFFSET + 1), (home(), 10**12)],
    ids=["another partition", "the same offset", "a later offset", "far beyond"],
)
async def test_headers_that_lie_about_the_source_are_ignored(bench: Bench, partition: int, offset: int) -> None:
    lie = SourcePosition(offset=offset, partition=partition).headers()
    await bench.handler.process(record(inline(b"1234"), headers=lie))
    assert bench.operation().source == SourcePosition(offset=OFFSET, partition=home())


@pytest.mark.parametrize(
    ("value", "reason", "stage"),
    [
        (b"no json", RejectReason.MALFORMED_EVENT, "read"),
        (inline(POISON), RejectReason.DECODE_FAILED, "extract"),
        (write_native(UploadImage(id="cat", uri="s3://shop/nothing")), RejectReason.NOT_FOUND, "extract"),
    ],
    ids=["unreadable", "undecodable", "missing"],
)
async def test_an_event_that_cannot_succeed_is_rejected_as_it_came_with_the_reason(
    bench: Bench, value: bytes, reason: RejectReason, stage: str
) -> None:
    original = [("content-type", b"application/json"), ("raw", b"\xff\xfe"), TRACE, (rejects.STAGE, b"a lie")]
    await bench.handler.process(record(value, headers=original))
    [kept] = bench.rejected
    reject = read_reject(kept.headers)
    assert reject is not None
    assert (reject.reason, reject.stage, reject.redrivable) == (reason, stage, True)
    assert (reject.source, reject.uploaded_at) == (SourcePosition(offset=OFFSET, partition=home()), UPLOADED_AT)
    assert (kept.key, kept.value) == (b"cat", value)
    assert set(original[:3]) <= set(kept.headers)
    assert bench.features == []
    assert bench.counted("rejected") == 1


async def test_an_event_without_a_key_is_rejected_without_one(bench: Bench) -> None:
    await bench.handler.process(record(b"no json", key=b"", partition=0))
    assert bench.rejected[0].key == b""


def notification(*keys: str) -> bytes:
    entries = [
        {
            "eventVersion": "2.1",
            "eventName": "s3:ObjectCreated:Put",
            "s3": {"bucket": {"name": "shop"}, "object": {"key": key}},
        }
        for key in keys
    ]
    return json.dumps({"Records": entries}).encode()


async def test_of_several_objects_one_that_fails_costs_itself_alone(bench: Bench) -> None:
    bench.stored["s3://shop/dog"] = b"\x09\x09\x09\x09"
    value = notification("cat", "poison", "dog")
    homes = {name: partition_of(f"shop/{name}", PARTITIONS) for name in ("cat", "poison", "dog")}
    for partition in range(PARTITIONS):
        await bench.handler.process(record(value, key=b"", partition=partition))
    at_home = {item.key for item in bench.features}
    assert at_home == {b"shop/cat", b"shop/dog"}
    assert {item.key for item in bench.forwarded} == {b"shop/cat", b"shop/dog", b"shop/poison"}
    [reject] = bench.rejected
    assert reject.key == b"shop/poison"
    [event] = read_upload_events(reject.key, reject.value, ())
    assert isinstance(event, UploadImage)
    assert event.uri == "s3://shop/poison"
    told = read_reject(reject.headers)
    assert told is not None
    assert told.source.partition == homes["poison"]


async def test_a_notification_that_asks_for_nothing_is_counted_and_done(bench: Bench) -> None:
    await bench.handler.process(record(b'{"Event": "s3:TestEvent"}', key=b"", partition=0))
    assert bench.producer.sent == []
    assert bench.counted("ignored") == 1


HUGE: dict[str, tuple[bytes, bytes, list[tuple[str, bytes]]]] = {
    "value": (b"cat", MEGABYTE[:-200], []),
    "headers": (b"cat", b"no json", [("ballast", MEGABYTE[:-200])]),
    "key": (MEGABYTE[:-200], b"no json", []),
}


@pytest.mark.parametrize("what", HUGE)
async def test_a_reject_that_fits_no_record_drops_what_is_too_large_and_keeps_the_reason(
    bench: Bench, what: str
) -> None:
    key, value, headers = HUGE[what]
    await bench.handler.process(record(value, key=key, headers=headers))
    [reject] = bench.rejected
    told = read_reject(reject.headers)
    assert told is not None
    assert told.reason is RejectReason.MALFORMED_EVENT
    assert not told.redrivable
    assert reject.value is None


async def test_an_upload_whose_trace_fits_no_record_is_rejected(bench: Bench) -> None:
    await bench.handler.process(record(inline(b"1234"), headers=[("tracestate", MEGABYTE[:-100])]))
    assert bench.features == []
    [reject] = bench.rejected
    told = read_reject(reject.headers)
    assert told is not None
    assert told.stage == "publish"


def by_reference(name: str) -> Record:
    return record(write_native(UploadImage(id="cat", uri=f"s3://shop/{name}")))


async def test_however_many_images_come_at_once_no_more_bytes_are_held_than_the_budget_has(bench: Bench) -> None:
    names = [str(number) for number in range(50)]
    bench.stored |= {f"s3://shop/{name}": name.encode().rjust(30) for name in names}
    bench.engine.gate.clear()
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(bench.handler.process(by_reference(name)))
        while len(bench.engine.begun) < 3:  # noqa: ASYNC110 - each task has its turn
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(bench.engine.begun) == 3
        assert bench.registry.get_sample_value("afterimage_extractor_held_bytes") == 90
        bench.engine.gate.set()
    assert len(bench.features) == len(names)
    assert bench.budget.held == 0


@pytest.mark.parametrize("name", ["cat", "poison", "nothing"])
async def test_whatever_becomes_of_an_image_its_bytes_are_given_back(bench: Bench, name: str) -> None:
    await bench.handler.process(by_reference(name))
    assert bench.budget.held == 0


async def test_a_device_that_breaks_is_no_fault_of_the_event(bench: Bench) -> None:
    """The worker ends, and the event comes again: it must be neither lost nor rejected."""
    with pytest.raises(RuntimeError, match="the device is lost"):
        await bench.handler.process(record(inline(BOMB)))
    assert bench.producer.sent == []


async def test_the_same_image_under_another_id_is_another_feature_of_the_same_code(bench: Bench) -> None:
    for image_id in ("cat", "the cat again"):
        await bench.handler.process(record(inline(b"1234", image_id), image_id=image_id))
    operations = [
        read_operation(offset=0, timestamp=9, key=item.key, value=item.value, headers=item.headers)
        for item in bench.features
    ]
    assert [(operation.id, operation.code) for operation in operations if isinstance(operation, Upsert)] == [
        ("cat", b"1234"),
        ("the cat again", b"1234"),
    ]
    assert bench.engine.begun == [b"1234"]
    assert bench.counted("encoded") == 2
    looked_up = "afterimage_extractor_cache_lookups_total"
    assert bench.registry.get_sample_value(looked_up, {"outcome": "hit"}) == 1
    assert bench.registry.get_sample_value("afterimage_extractor_cache_saved_device_seconds_total") == DEVICE_S


async def test_the_content_type_of_a_feature_says_how_to_read_it(bench: Bench) -> None:
    await bench.handler.process(record(inline(b"1234")))
    assert bench.features[0].header(hdr.CONTENT_TYPE) == hdr.MSGPACK.encode()


async def test_beyond_the_limit_a_reject_is_not_written_and_the_event_left_for_later(bench: Bench) -> None:
    nowhere = record(write_native(UploadImage(id="cat", uri="s3://shop/nowhere")))
    for _ in range(MOST_REJECTS):
        await bench.handler.process(nowhere)
    with pytest.raises(RejectLimitReached):
        await bench.handler.process(nowhere)
    assert len(bench.rejected) == MOST_REJECTS
    assert bench.counted("rejected") == MOST_REJECTS


async def test_an_encoded_image_shows_that_the_deployment_works(bench: Bench) -> None:
    for _ in range(3 * MOST_REJECTS):
        await bench.handler.process(record(write_native(UploadImage(id="cat", uri="s3://shop/nowhere"))))
        await bench.handler.process(record(inline(b"1234")))
    assert len(bench.rejected) == 3 * MOST_REJECTS
