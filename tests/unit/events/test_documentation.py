"""`docs/events.md` says what is so: its examples run, its tables are complete."""

import argparse
import base64
import json
import re
import shlex
from pathlib import Path

import msgspec
import pytest

from shared.events import headers as hdr
from shared.events import rejects
from shared.events.faults import RejectReason
from shared.events.features import FeatureRecord, read_operation
from shared.events.operations import Delete
from shared.events.receipts import Effect, Receipt, decode_receipt
from shared.events.search_replies import ErrorCode, Hit, SearchReply, Timings, decode_reply
from shared.events.search_requests import SearchRequest, decode_request
from shared.events.topics import Topics
from shared.events.uploads import NativeUpload, read_upload_events
from tests.unit.events.golden_files import Record

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SECTIONS = dict(re.findall(r"^#{2,3} (.+?)\n(.*?)(?=^#{2,3} |\Z)", PAGE, re.DOTALL | re.MULTILINE))
TOPICS = {spec.name: spec for spec in Topics().specs(1)}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def tables(section: str) -> list[list[str]]:
    """The first columns of a section's tables, without their heads."""
    found = re.findall(r"^\|.*?\n\| ---.*?\n((?:\|.*\n)+)", SECTIONS[section] + "\n", re.MULTILINE)
    return [[row.split("|")[1].strip().strip("`") for row in table.splitlines()] for table in found]


def check_fields(given: dict[str, object], known: type[msgspec.Struct]) -> None:
    assert set(given) <= set(known.__struct_fields__), "an example has a field that is not read"


def check(topic: str, record: Record) -> None:
    """Assert that a record is one that the readers of its topic understand."""
    assert topic in TOPICS
    fields = json.loads(record.value) if record.value and record.value[:1] == b"{" else {}
    match topic:
        case "images.uploaded":
            assert len(read_upload_events(record.key, record.value, record.headers)) == 1
            if not {"specversion", "Records"} & set(fields):
                check_fields(fields, NativeUpload)
        case "images.features":
            operation = read_operation(
                offset=0, timestamp=0, key=record.key, value=record.value, headers=record.headers
            )
            assert isinstance(operation, Delete)
        case "images.rejected":
            assert rejects.read_reject(record.headers) is not None
            again = rejects.redrive_headers(record.headers)
            assert len(read_upload_events(record.key, record.value, again)) == 1
        case "images.indexed":
            check_fields(fields, Receipt)
            assert decode_receipt(record.value or b"").id.encode() == record.key
        case "search.requests":
            check_fields(fields, SearchRequest)
            assert hdr.text(record.headers, hdr.REPLY_TO) in TOPICS
            decode_request(record.value, hdr.media_type(record.headers))
        case "search.replies":
            check_fields(fields, SearchReply)
            for hit in fields["hits"]:
                check_fields(hit, Hit)
            assert decode_reply(record.value or b"", hdr.media_type(record.headers)).v == 1


def written(example: dict[str, object]) -> Record:
    value, key = example["value"], example["key"]
    if isinstance(value, str):
        data = base64.b64decode(value.removeprefix("base64:"))
    else:
        data = None if value is None else json.dumps(value).encode()
    headers = [(name, text.encode()) for name, text in example["headers"].items()]
    return Record(key=None if key is None else key.encode(), headers=headers, value=data)


def sent_by_kcat(command: str, directory: Path) -> tuple[str, Record]:
    """What the shell command puts on the bus."""
    echo, _, kcat = command.replace("\\\n", " ").rpartition("|")
    said = shlex.split(echo)[1] if echo else ""
    options = argparse.ArgumentParser()
    for flag in ("-P", "-Z"):
        options.add_argument(flag, action="store_true")
    for option in ("-b", "-t", "-k", "-K", "-X"):
        options.add_argument(option)
    options.add_argument("-H", action="append", default=[])
    options.add_argument("file", nargs="?")
    program, *arguments = shlex.split(kcat)
    given = options.parse_args(arguments)
    assert (program, given.P, given.b) == ("kcat", True, "localhost:9092")
    assert given.t == "search.requests" or given.X == "topic.partitioner=murmur2_random"
    key, value = said.split(given.K, 1) if given.K else (given.k, said)
    data = (directory / given.file).read_bytes() if given.file else value.encode()
    headers = [(name, text.encode()) for name, _, text in (header.partition("=") for header in given.H)]
    return given.t, Record(
        key=key.encode() if key else None, headers=headers, value=None if given.Z and not data else data
    )


@pytest.mark.parametrize("text", blocks("json"))
def test_a_record_on_the_page_is_understood(text: str) -> None:
    example = json.loads(text)
    assert set(example) == {"topic", "key", "headers", "value"}
    check(example["topic"], written(example))


@pytest.mark.parametrize("command", blocks("sh"))
def test_a_command_on_the_page_sends_what_is_understood(command: str, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"\xff\xd8\xff")
    check(*sent_by_kcat(command, tmp_path))


@pytest.mark.parametrize("code", blocks("python"))
def test_a_program_on_the_page_runs(code: str) -> None:
    names: dict[str, object] = {}
    exec(compile(code, "docs/events.md", "exec"), names)  # noqa: S102 - the page is our own
    if "headers" in names:
        check("search.requests", Record(key=None, headers=names["headers"], value=names["value"]))


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {language for language, _ in BLOCKS} == {"json", "sh", "python", "console"}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("Native JSON", NativeUpload),
        ("Features: `images.features`", FeatureRecord),
        ("Receipts: `images.indexed`", Receipt),
        ("Request", SearchRequest),
        ("Reply", SearchReply),
        ("Hit", Hit),
    ],
)
def test_every_field_stands_in_its_table(section: str, message: type[msgspec.Struct]) -> None:
    assert sorted(tables(section)[0]) == sorted(message.__struct_fields__)


def test_every_timing_is_named() -> None:
    assert all(f"`{name}`" in SECTIONS["Reply"] for name in Timings.__struct_fields__)


def test_every_reject_reason_stands_in_its_table() -> None:
    assert tables("Rejects: `images.rejected`")[1] == [reason.value for reason in RejectReason]


def test_every_error_code_stands_in_its_table() -> None:
    assert tables("Hit")[1] == [code.value for code in ErrorCode]


def test_every_effect_stands_in_its_table() -> None:
    assert tables("Receipts: `images.indexed`")[1] == [effect.value for effect in Effect]


def test_every_header_stands_in_a_table() -> None:
    pipeline = {rejects.REASON, rejects.DETAIL, rejects.STAGE, rejects.UPLOADED_AT, rejects.VALUE_DROPPED}
    assert set(tables("Rejects: `images.rejected`")[0]) == pipeline | {hdr.SOURCE_PARTITION, hdr.SOURCE_OFFSET}
    search = {hdr.REPLY_TO, hdr.CORRELATION_ID, hdr.REPLY_PARTITION, hdr.DEADLINE, hdr.CONTENT_TYPE}
    section = "Searching: `search.requests` and `search.replies`"
    assert set(tables(section)[0]) == search
    for spring in (hdr.SPRING_REPLY_TOPIC, hdr.SPRING_CORRELATION_ID, hdr.SPRING_REPLY_PARTITION):
        assert f"`{spring}`" in SECTIONS[section]


def test_every_topic_stands_in_its_tables() -> None:
    assert [set(names) for names in tables("Topics")] == [set(TOPICS), set(TOPICS)]


def test_a_topic_is_kept_as_long_as_the_page_says() -> None:
    kept = dict(re.findall(r"^\| `([a-z.]+)` \| (7 days|1 hour) \|$", SECTIONS["Topics"], re.MULTILINE))
    milliseconds = {"7 days": "604800000", "1 hour": "3600000"}
    assert {name: milliseconds[time] for name, time in kept.items()} == {
        name: spec.config["retention.ms"] for name, spec in TOPICS.items() if "retention.ms" in spec.config
    }


def test_every_link_on_the_page_leads_somewhere() -> None:
    titles = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (Path(__file__).parents[3] / "docs" / target).exists()
