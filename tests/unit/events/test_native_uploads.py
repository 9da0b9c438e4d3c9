"""The native JSON form of an upload."""

from datetime import datetime, timedelta, timezone

import pytest

from shared.events.faults import RejectReason
from shared.events.images import MAX_ATTRIBUTES_BYTES, MAX_ID_BYTES, MAX_INLINE_BYTES
from shared.events.upload_forms import MAX_URI_BYTES, DeleteImage, UploadImage
from shared.events.uploads import read_upload_events
from tests.unit.events.poison import BOMB, DEEP, as_json, one_event, refused

URI = "https://example.com/cat.jpg"
NATIVE = {"v": 1, "uri": URI, "attributes": {"category": "cat"}}


def test_a_null_value_deletes_the_key() -> None:
    assert read_upload_events(b"cat", None, []) == [DeleteImage(id="cat")]


def test_a_null_value_deletes_the_key_whatever_its_headers_say() -> None:
    headers = [("ce_specversion", b"1.0"), ("content-type", b"application/cloudevents+json")]
    assert read_upload_events(b"cat", None, headers) == [DeleteImage(id="cat")]


@pytest.mark.parametrize("key", [None, b""])
def test_a_null_value_without_a_key_deletes_nothing(key: bytes | None) -> None:
    refused(key, None, says="set the record's key")


@pytest.mark.parametrize(
    ("key", "field"),
    [(b"cat", None), (None, "cat"), (b"", "cat"), (b"cat", ""), (b"cat", "cat")],
)
def test_the_id_is_the_key_or_the_field_id(key: bytes | None, field: str | None) -> None:
    assert one_event(key, as_json({"id": field, "uri": URI})) == UploadImage(id="cat", uri=URI)


@pytest.mark.parametrize("version", [{}, {"v": 0}, {"v": 1}])
def test_the_version_may_be_left_out(version: dict[str, int]) -> None:
    assert one_event(b"cat", as_json({"uri": URI} | version)) == UploadImage(id="cat", uri=URI)


def test_unknown_fields_change_nothing() -> None:
    extra = {"Event": "created", "Key": "k", "type": "t", "nested": {"a": [1]}, "big": None}
    assert one_event(b"cat", as_json(NATIVE | extra)) == one_event(b"cat", as_json(NATIVE))


def test_headers_of_others_change_nothing() -> None:
    headers = [("traceparent", b"00-a-b-01"), ("content-type", b"\xff"), ("ce_", b""), ("", b""), ("x", b"\x00\xff")]
    assert one_event(b"cat", as_json(NATIVE), headers) == one_event(b"cat", as_json(NATIVE))


def test_attributes_are_scalars_and_lists_of_scalars() -> None:
    attributes = {"s": "é", "i": -(2**63), "f": 1.5, "b": False, "n": None, "l": ["a", 1, 0.5, True, None], "": ""}
    assert one_event(b"cat", as_json({"uri": URI, "attributes": attributes})).attributes == attributes


def test_a_time_keeps_its_zone() -> None:
    event = one_event(b"cat", as_json({"uri": URI, "occurred_at": "2026-03-14T09:26:53.589+05:30"}))
    zone = timezone(timedelta(hours=5, minutes=30))
    assert event.occurred_at == datetime(2026, 3, 14, 9, 26, 53, 589000, tzinfo=zone)
    assert event.occurred_at.utcoffset() == timedelta(hours=5, minutes=30)


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert one_event(None, b'{"id": "\\ud83d\\ude3a", "uri": "u"}') == UploadImage(id="😺", uri="u")


def test_an_inline_image_of_the_largest_size_is_taken() -> None:
    data = bytes(MAX_INLINE_BYTES)
    assert one_event(b"cat", as_json({"data": data})) == UploadImage(id="cat", data=data)


def test_a_larger_inline_image_is_sent_away_to_a_store() -> None:
    refused(
        b"cat",
        as_json({"data": bytes(MAX_INLINE_BYTES + 1)}),
        reason=RejectReason.INLINE_TOO_LARGE,
        says=r"262145 bytes, more than 262144: store it and send its uri",
    )


@pytest.mark.parametrize("version", [2, -1, 2**70])
def test_another_version_is_refused(version: int) -> None:
    value = b'{"v": %d, "uri": "u"}' % version
    refused(b"cat", value, reason=RejectReason.UNSUPPORTED_VERSION, says=f"version {version} .* knows 1")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"uri": URI}, "an image needs an id: set the record's key or the field 'id'"),
        ({"id": "", "uri": URI}, "an image needs an id"),
        ({"id": "c" * (MAX_ID_BYTES + 1), "uri": URI}, "the id has 513 bytes, more than 512"),
        ({"id": "猫" * 171, "uri": URI}, "the id has 513 bytes, more than 512"),
        ({"id": "a\x00b", "uri": URI}, r"'a\\x00b' holds control characters"),
        ({"id": "a\nb", "uri": URI}, "control characters"),
        ({"id": "a\x85b", "uri": URI}, "control characters"),
        ({"id": "a\u2028b", "uri": URI}, "control characters"),
        ({"id": 7, "uri": URI}, r"Expected `str \| null`, got `int` - at `\$.id`"),
        ({"id": "cat"}, "either 'uri' or 'data'"),
        ({"id": "cat", "uri": URI, "data": b"GIF"}, "either 'uri' or 'data'"),
        ({"id": "cat", "data": b""}, "the inline image is empty"),
        ({"id": "cat", "uri": ""}, "a uri has 1 to 8192 bytes"),
        ({"id": "cat", "uri": "u" * (MAX_URI_BYTES + 1)}, "a uri has 1 to 8192 bytes"),
        ({"id": "cat", "data": "not base64!"}, r"base64 encoded string - at `\$.data`"),
        ({"id": "cat", "uri": URI, "occurred_at": "2026-03-14T09:26:53"}, r"timezone .* at `\$.occurred_at`"),
        ({"id": "cat", "uri": URI, "occurred_at": "yesterday"}, r"at `\$.occurred_at`"),
        ({"id": "cat", "uri": URI, "occurred_at": 1773480413}, r"at `\$.occurred_at`"),
        ({"id": "cat", "uri": URI, "attributes": {"a": {"b": 1}}}, r"got `object` - at `\$.attributes\[...\]`"),
        ({"id": "cat", "uri": URI, "attributes": {"a": [[1]]}}, r"got `array` - at `\$.attributes"),
        ({"id": "cat", "uri": URI, "attributes": None}, r"at `\$.attributes`"),
        ({"id": "cat", "uri": URI, "attributes": {"a": "x" * MAX_ATTRIBUTES_BYTES}}, "more than 16384"),
        ({"id": "cat", "uri": URI, "attributes": {"a": 2**63}}, "'a' does not fit 64 bits: send it as text"),
        ({"id": "cat", "uri": URI, "attributes": {"a": [-(2**63) - 1]}}, "does not fit 64 bits"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_upload_that_breaks_a_rule_is_told_the_rule(fields: dict[str, object], says: str) -> None:
    refused(None, as_json(fields), says=says)


def test_a_key_and_an_id_that_disagree_are_refused() -> None:
    refused(b"cat", as_json({"id": "dog", "uri": URI}), says="says 'cat', its field 'id' 'dog': they must agree")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (b"\xff\xfe", r"key b'\\xff\\xfe' is not UTF-8"),
        (b"\xed\xa0\x80", "is not UTF-8"),
        (b"a\tb", "control characters"),
        (b"c" * 513, "the id has 513 bytes, more than 512"),
    ],
)
def test_a_key_that_can_be_no_id_is_refused(key: bytes, says: str) -> None:
    refused(key, as_json(NATIVE), says=says)
    refused(key, None, says=says)


@pytest.mark.parametrize(
    "image_id", ["a b", "a\u00a0b", "shot\u202fPM.png", "全角\u3000", "👩\u200d🚀", "x" * 512, "-", "../a"]
)
def test_an_id_is_any_text_without_control_characters(image_id: str) -> None:
    assert read_upload_events(image_id.encode(), None, []) == [DeleteImage(id=image_id)]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"null",
        b"7",
        b'"cat"',
        b"[]",
        b"[{}]",
        b"{",
        b'{"uri": "u"} x',
        b"\xff\xd8\xff\xe0JFIF",
        b"{'uri': 1}",
    ],
)
def test_a_value_that_is_no_json_object_is_refused(value: bytes) -> None:
    refused(b"cat", value, says=r"is no JSON object .* raw image bytes need the CloudEvents headers \(ce_\*\)")


@pytest.mark.parametrize(
    "value",
    [
        b'{"uri": "u", "attributes": {"a": NaN}}',
        b'{"uri": "u", "attributes": {"a": Infinity}}',
        b'{"uri": "u", "attributes": {"a": -Infinity}}',
        b'{"uri": "u", "attributes": {"a": 1e999}}',
        b'{"uri": "u", "attributes": {"a": ' + b"9" * 5000 + b"}}",
        b'{"v": ' + b"9" * 5000 + b', "uri": "u"}',
        b'{"id": "\\ud800", "uri": "u"}',
        b'{"id": "\xed\xa0\x80", "uri": "u"}',
        b'{"uri": "\xff"}',
        b'{"\xff": 1, "uri": "u"}',
    ],
    ids=["nan", "infinity", "-infinity", "1e999", "huge-attribute", "huge-version", "lone-surrogate", "raw-surrogate",
         "uri-not-utf-8", "name-not-utf-8"],
)  # fmt: skip
def test_what_json_cannot_mean_is_refused(value: bytes) -> None:
    refused(None, value, says="read|JSON")


@pytest.mark.parametrize(
    "value",
    [
        BOMB,
        b'{"a":' * DEEP,
        b'{"uri": "u", "x": ' + BOMB + b"}",
        b'{"uri": "u", "attributes": {"a": ' + BOMB + b"}}",
    ],
    ids=["array", "objects-unclosed", "unknown-field", "attribute"],
)
def test_a_bomb_of_brackets_is_refused(value: bytes) -> None:
    refused(b"cat", value, says="nested too deeply|no JSON object")
