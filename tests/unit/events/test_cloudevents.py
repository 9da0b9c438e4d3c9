"""CloudEvents 1.0 over Kafka, binary and structured mode."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.events.faults import RejectReason
from shared.events.images import MAX_INLINE_BYTES
from shared.events.upload_forms import DeleteImage, UploadImage
from tests.unit.events.poison import BOMB, as_json, one_event, refused
from tests.unit.events.samples import GIF

CONTEXT = {"specversion": "1.0", "id": "event-7", "source": "/camera", "type": "photo.taken"}
URI = "https://example.com/cat.jpg"
STRUCTURED = ("content-type", b"application/cloudevents+json")


def in_headers(context: dict[str, str], content_type: bytes = b"image/gif") -> list[tuple[str, bytes]]:
    return [*((f"ce_{name}", text.encode()) for name, text in context.items()), ("content-type", content_type)]


def test_a_binary_event_carries_the_image_as_its_value() -> None:
    assert one_event(b"cat", GIF, in_headers(CONTEXT)) == UploadImage(id="cat", data=GIF)


@pytest.mark.parametrize(
    ("key", "context", "data_id", "image_id"),
    [
        (b"key", {"subject": "subject"}, None, "key"),
        (None, {"subject": "subject"}, None, "subject"),
        (None, {"subject": ""}, "data", "data"),
        (None, {}, "data", "data"),
        (None, {}, None, "event-7"),
    ],
)
def test_the_id_is_the_key_else_the_subject_else_in_the_data_else_the_events(
    key: bytes | None, context: dict[str, str], data_id: str | None, image_id: str
) -> None:
    data = {"id": data_id, "uri": URI}
    expected = UploadImage(id=image_id, uri=URI)
    assert one_event(key, as_json(data), in_headers(CONTEXT | context, b"application/json")) == expected
    assert one_event(key, as_json(CONTEXT | context | {"data": data}), [STRUCTURED]) == expected


def test_a_subject_and_a_data_id_that_disagree_are_refused() -> None:
    refused(
        None,
        as_json(CONTEXT | {"subject": "cat", "data": {"id": "dog", "uri": URI}}),
        says="key or subject says 'cat', its field 'id' 'dog'",
    )


@pytest.mark.parametrize("content_type", [b"application/json", b"Application/JSON; charset=utf-8", b"text/x+json"])
def test_binary_data_of_a_json_type_is_the_native_form(content_type: bytes) -> None:
    assert one_event(b"cat", as_json({"uri": URI}), in_headers(CONTEXT, content_type)).uri == URI


def test_a_structured_event_is_known_by_its_content_type_or_by_its_fields() -> None:
    value = as_json(CONTEXT | {"data": {"uri": URI}})
    assert one_event(b"cat", value, [STRUCTURED]) == one_event(b"cat", value) == UploadImage(id="cat", uri=URI)


def test_an_event_of_the_type_deleted_deletes() -> None:
    context = CONTEXT | {"type": "io.afterimage.image.deleted"}
    assert one_event(b"cat", b"", in_headers(context)) == DeleteImage(id="cat")
    assert one_event(b"cat", as_json(context)) == DeleteImage(id="cat")


def test_extensions_become_attributes_and_the_data_has_the_last_word() -> None:
    context = CONTEXT | {"camera": "3", "shop": "north", "traceparent": "00-a-b-01", "dataschema": "s"}
    data = {"uri": URI, "attributes": {"camera": "front"}}
    expected = {"camera": "front", "shop": "north"}
    assert one_event(b"cat", as_json(data), in_headers(context, b"application/json")).attributes == expected
    assert one_event(b"cat", as_json(context | {"data": data})).attributes == expected


def test_the_data_has_the_last_word_on_the_time() -> None:
    context = CONTEXT | {"time": "2020-01-01T00:00:00Z"}
    said = one_event(b"cat", as_json(context | {"data": {"uri": URI, "occurred_at": "2026-01-01T00:00:00Z"}}))
    silent = one_event(b"cat", as_json(context | {"data": {"uri": URI}}))
    assert said.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert silent.occurred_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_later_minor_version_is_read() -> None:
    assert one_event(b"cat", GIF, in_headers(CONTEXT | {"specversion": "1.1"})) == UploadImage(id="cat", data=GIF)


def test_extensions_that_are_no_scalars_are_left_out() -> None:
    extra = {"object": {"a": 1}, "list": [1], "null": None}
    assert one_event(b"cat", as_json(CONTEXT | extra | {"data": {"uri": URI}})).attributes == {}


def test_unknown_fields_of_the_data_change_nothing() -> None:
    value = as_json(CONTEXT | {"data": {"uri": URI, "later": {"a": 1e300}}})
    assert one_event(b"cat", value) == UploadImage(id="cat", uri=URI)


def test_a_header_without_a_value_counts_as_missing() -> None:
    headers: list = [*in_headers(CONTEXT), ("ce_camera", None), ("ce_subject", None)]
    assert one_event(b"cat", GIF, headers) == UploadImage(id="cat", data=GIF)


@pytest.mark.parametrize("version", ["0.3", "2.0", "", "one"])
def test_another_version_of_cloudevents_is_refused(version: str) -> None:
    context = CONTEXT | {"specversion": version}
    unsupported = RejectReason.UNSUPPORTED_VERSION
    refused(b"cat", as_json(context), reason=unsupported, says=f"CloudEvents '{version}'; this release knows 1.x")
    if version:
        refused(b"cat", GIF, in_headers(context), reason=unsupported, says="this release knows 1.x")


@pytest.mark.parametrize("missing", ["id", "source", "type"])
def test_what_cloudevents_requires_is_required(missing: str) -> None:
    context = {name: text for name, text in CONTEXT.items() if name != missing}
    refused(b"cat", GIF, in_headers(context), says=f"missing required field `{missing}`")
    refused(b"cat", as_json(context | {"data": {"uri": URI}}), says=f"missing required field `{missing}`")


def test_a_context_attribute_that_is_not_utf_8_is_refused() -> None:
    refused(b"cat", GIF, [*in_headers(CONTEXT), ("ce_camera", b"\xff")], says=r"a ce_\* header is not UTF-8")


@pytest.mark.parametrize("time", ["2026-03-14T09:26:53", "noon", "5"])
def test_a_time_that_names_no_moment_is_refused(time: str) -> None:
    refused(b"cat", GIF, in_headers(CONTEXT | {"time": time}), says="time")
    refused(b"cat", as_json(CONTEXT | {"time": time, "data": {"uri": URI}}), says="time")


def test_a_time_in_seconds_is_refused() -> None:
    refused(b"cat", as_json(CONTEXT | {"time": 5, "data": {"uri": URI}}), says=r"at `\$.time`")


@pytest.mark.parametrize(
    "data",
    [{}, {"data": None}, {"data": "R0lG"}, {"data": [1]}],
)
def test_a_structured_event_needs_data(data: dict[str, object]) -> None:
    refused(b"cat", as_json(CONTEXT | data), says="needs 'data_base64', or 'data' as an object")


@pytest.mark.parametrize("data", [None, 7, "R0lG!", {"a": 1}])
def test_inline_data_is_base64(data: object) -> None:
    refused(b"cat", as_json(CONTEXT | {"data_base64": data}), says="data_base64 cannot be read")


def test_empty_data_is_refused() -> None:
    refused(b"cat", b"", in_headers(CONTEXT), says="the inline image is empty")
    refused(b"cat", as_json(CONTEXT | {"data_base64": ""}), says="the inline image is empty")


def test_a_large_image_is_sent_away_to_a_store() -> None:
    data = bytes(MAX_INLINE_BYTES + 1)
    too_large = RejectReason.INLINE_TOO_LARGE
    refused(b"cat", data, in_headers(CONTEXT), reason=too_large, says="store it and send its uri")
    refused(b"cat", as_json(CONTEXT | {"data_base64": data}), reason=too_large, says="store it and send its uri")


def test_extensions_and_attributes_share_one_limit() -> None:
    context = CONTEXT | {"camera": "x" * 9000}
    data = {"uri": URI, "attributes": {"note": "x" * 9000}}
    refused(b"cat", as_json(data), in_headers(context, b"application/json"), says="more than 16384")
    refused(b"cat", as_json(context | {"data": data}), says="more than 16384")


@pytest.mark.parametrize(
    "field",
    [b'"x": "\xff"', b'"x": ' + b"9" * 5000, b'"x": ' + BOMB, b'"data": ' + BOMB, b'"x": "\\ud800"', b'"x": NaN'],
    ids=["not-utf-8", "huge-number", "bomb", "bomb-as-data", "lone-surrogate", "nan"],
)
def test_an_envelope_that_cannot_be_read_is_refused(field: bytes) -> None:
    refused(b"cat", as_json(CONTEXT)[:-1] + b"," + field + b"}", says="CloudEvent cannot be read|no JSON object")


def test_a_huge_number_in_the_data_is_no_concern_where_nothing_reads_it() -> None:
    value = as_json(CONTEXT | {"data": msgspec.Raw(b'{"uri": "u", "x": ' + b"9" * 40 + b"}")})
    assert one_event(b"cat", value) == UploadImage(id="cat", uri="u")


def test_an_extension_that_does_not_fit_64_bits_is_refused() -> None:
    value = as_json(CONTEXT | {"serial": msgspec.Raw(b"9" * 30), "data_base64": GIF})
    refused(b"cat", value, says="the attribute 'serial' does not fit 64 bits")
