"""S3's and MinIO's bucket notifications."""

from datetime import UTC, datetime

import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.events.upload_forms import DeleteImage, UploadEvent, UploadImage
from shared.events.uploads import read_upload_events
from tests.unit.events.poison import BOMB, as_json, refused


def record(name: str = "ObjectCreated:Put", key: str = "cat.jpg", **fields: object) -> dict[str, object]:
    return {"eventName": name, "s3": {"bucket": {"name": "shop"}, "object": {"key": key}}} | fields


def read(*records: dict[str, object], key: bytes | None = None) -> list[UploadEvent]:
    return read_upload_events(key, as_json({"Records": records}), [])


def created(key: str) -> UploadImage:
    return UploadImage(id=f"shop/{key}", uri=f"s3://shop/{key}", attributes={"bucket": "shop", "key": key})


@pytest.mark.parametrize("name", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
@pytest.mark.parametrize("prefix", ["", "s3:"])
def test_an_object_that_was_created_is_uploaded(prefix: str, name: str) -> None:
    assert read(record(f"{prefix}ObjectCreated:{name}")) == [created("cat.jpg")]


@pytest.mark.parametrize(
    "name",
    [
        "ObjectRemoved:Delete",
        "ObjectRemoved:DeleteMarkerCreated",
        "LifecycleExpiration:Delete",
        "LifecycleExpiration:DeleteMarkerCreated",
        "s3:ObjectRemoved:Delete",
    ],
)
def test_an_object_that_went_is_deleted(name: str) -> None:
    assert read(record(name)) == [DeleteImage(id="shop/cat.jpg")]


@pytest.mark.parametrize(
    "name", ["ObjectTagging:Put", "ObjectRestore:Completed", "s3:ObjectAccessed:Get", "ReducedRedundancyLostObject", ""]
)
def test_other_notifications_ask_for_nothing(name: str) -> None:
    assert read(record(name), record(name, key="k" * 600)) == []


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("red+cat.jpg", "red cat.jpg"),
        ("red%20cat.jpg", "red cat.jpg"),
        ("a%2Bb.jpg", "a+b.jpg"),
        ("2026%2F03%2Fcat.jpg", "2026/03/cat.jpg"),
        ("%E7%8C%AB.jpg", "猫.jpg"),
        ("猫.jpg", "猫.jpg"),
        ("100%25.jpg", "100%.jpg"),
        ("a?b#c.jpg", "a?b#c.jpg"),
    ],
)
def test_an_encoded_key_is_the_object_that_it_names(encoded: str, key: str) -> None:
    assert read(record(key=encoded)) == [created(key)]


@pytest.mark.parametrize("key", ["red cat.jpg", "a+b.jpg", "50%25.jpg", "100%.jpg", "猫.jpg"])
def test_versitygw_writes_keys_as_they_are(key: str) -> None:
    s3 = {"configurationId": "webhook-global", "bucket": {"name": "shop"}, "object": {"key": key}}
    assert read(record(s3=s3)) == [created(key)]


def test_of_several_records_about_one_object_the_last_counts() -> None:
    """They share one offset, by which nothing later could tell them apart."""
    events = read(record(key="a"), record(key="b"), record("ObjectRemoved:Delete", key="a"))
    assert [(type(event), event.id) for event in events] == [(UploadImage, "shop/b"), (DeleteImage, "shop/a")]


def test_a_record_that_cannot_be_read_costs_itself_alone() -> None:
    good, fault = read(record(key="%FF"), record(key="b"))
    assert good.id == "shop/b"
    assert isinstance(fault, PoisonInput)
    assert fault.reason is RejectReason.MALFORMED_EVENT


def test_the_object_names_the_id_and_the_records_key_does_not() -> None:
    assert read(record(), key=b"anything") == [created("cat.jpg")]


def test_the_time_and_the_size_are_kept() -> None:
    s3 = {"bucket": {"name": "shop"}, "object": {"key": "cat.jpg", "size": 7}}
    (event,) = read(record(s3=s3, eventTime="2026-03-14T09:26:53.589Z", eventVersion="2.3"))
    assert event.occurred_at == datetime(2026, 3, 14, 9, 26, 53, 589000, tzinfo=UTC)
    assert event.attributes == {"bucket": "shop", "key": "cat.jpg", "size": 7}


def test_unknown_fields_change_nothing() -> None:
    assert read(record(awsRegion="eu", glacierEventData={"a": {}})) == read(record())


@pytest.mark.parametrize("value", [b'{"Event": "s3:TestEvent"}', b'{"Records": []}'])
def test_a_notification_of_nothing_asks_for_nothing(value: bytes) -> None:
    assert read_upload_events(None, value, []) == []


@pytest.mark.parametrize("version", ["1.0", "3.0", ""])
def test_another_version_is_refused(version: str) -> None:
    refused(
        None,
        as_json({"Records": [record(eventVersion=version)]}),
        reason=RejectReason.UNSUPPORTED_VERSION,
        says=f"version '{version}'; this release knows 2.x",
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"s3": {"bucket": {"name": "shop"}}}, r"missing required field `object` - at `\$.Records\[0\].s3`"),
        ({"s3": None}, r"at `\$.Records\[0\].s3`"),
        ({"eventName": 7}, r"at `\$.Records\[0\].eventName`"),
        ({"eventTime": "2026-03-14T09:26:53"}, r"timezone .* at `\$.Records\[0\].eventTime`"),
        ({"s3": {"bucket": {"name": "shop"}, "object": {"key": "%FF"}}}, "the object key '%FF' is not UTF-8"),
        ({"s3": {"bucket": {"name": "shop"}, "object": {"key": "a%0Ab"}}}, "control characters"),
        ({"s3": {"bucket": {"name": "shop"}, "object": {"key": "k" * 508}}}, "513 bytes, more than 512"),
        ({"s3": {"bucket": {"name": "shop"}, "object": {"key": "k", "size": 2**64}}}, "does not fit 64 bits"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_notification_that_breaks_a_rule_is_told_the_rule(fields: dict[str, object], says: str) -> None:
    refused(None, as_json({"Records": [record(**fields)]}), says=says)


@pytest.mark.parametrize("records", [b"null", b"{}", b'"x"', b"[7]", BOMB])
def test_records_that_cannot_be_read_are_refused(records: bytes) -> None:
    refused(None, b'{"Records": ' + records + b"}", says="notification cannot be read|no JSON object")
