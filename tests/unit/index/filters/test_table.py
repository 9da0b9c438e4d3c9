"""The columns against the reference: whatever rows and conditions Hypothesis finds, both say the same."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.events.images import Attributes, SourcePosition
from shared.index.filters.condition import Condition, matches
from shared.index.filters.fields import mask_of
from shared.index.filters.syntax import parse_filter
from shared.index.filters.table import FieldTable
from shared.index.sealed.fields import FieldFile, write_fields
from shared.index.sealed.ids import IdFile, write_ids
from shared.index.sealed.rows import RowFile, write_rows
from shared.index.segment import Row

NAMES = st.sampled_from(["kind", "size", "tags"])
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2021, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat)  # noqa: DTZ001
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "ab", "b", "0", "1", "true"]) | TIMES
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
OPERATORS = (
    st.tuples(st.sampled_from(["$eq", "$ne"]), SCALARS)
    | st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, max_size=3))
    | st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), NUMBERS | TIMES)
    | st.tuples(st.just("$prefix"), st.sampled_from(["", "a", "2020-06"]))
    | st.tuples(st.just("$exists"), st.booleans())
)
FIELDS = st.dictionaries(
    NAMES | st.sampled_from(["@id", "@uri", "@occurred_at", "@uploaded_at"]),
    SCALARS | st.lists(OPERATORS, min_size=1, max_size=2).map(dict),
    min_size=1,
    max_size=2,
)
FILTERS = st.recursive(
    FIELDS,
    lambda inner: (
        st.dictionaries(st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=2), min_size=1)
        | st.fixed_dictionaries({"$not": inner})
    ),
    max_leaves=4,
)


def row(attributes: Attributes, *, image_id: str = "id", occurred_at: int | None = None, uri: str | None = None) -> Row:
    return Row(image_id, 0, SourcePosition(offset=0, partition=0), 1_000, occurred_at, uri, attributes)


def table_of(*rows: Row) -> FieldTable:
    table = FieldTable(rows, {row.id: number for number, row in enumerate(rows)})
    for number, each in enumerate(rows):
        table.append(number, each)
    return table


def sealed(folder: Path, rows: list[Row]) -> FieldFile:
    """The same fields, from the files of a sealed segment."""
    write_rows(folder / "rows", rows)
    write_ids(folder / "ids", [each.id for each in rows])
    write_fields(folder / "fields", rows)
    contents = RowFile(folder / "rows")
    return FieldFile(folder / "fields", contents, IdFile(folder / "ids", contents))


ROWS = st.builds(
    row,
    st.dictionaries(NAMES, VALUES, max_size=3),
    occurred_at=st.none() | st.sampled_from([1_577_836_800_000, 1_590_000_000_000]),
    uri=st.none() | st.sampled_from(["a", "b"]),
)


@given(rows=st.lists(ROWS, max_size=6), filter_=FILTERS)
@example(rows=[row({"size": 2**53 + 1})], filter_={"size": {"$gt": 2**53}})
@example(rows=[row({"kind": True}), row({"kind": 1})], filter_={"kind": 1})
@example(rows=[row({"tags": []})], filter_={"tags": {"$exists": True}})
def test_the_columns_say_what_the_reference_says(rows: list[Row], filter_: object) -> None:
    condition: Condition = parse_filter(filter_)
    rows = [msgspec.structs.replace(each, id=str(number)) for number, each in enumerate(rows)]
    expected = [matches(condition, each) for each in rows]
    assert table_of(*rows).mask(condition).tolist() == expected
    with TemporaryDirectory() as folder:
        assert mask_of(condition, sealed(Path(folder), rows)).tolist() == expected


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ({"kind": "animal"}, [0, 1]),
        ({"kind": {"$ne": "animal"}}, [2, 3]),
        ({"weight": {"$gte": 2, "$lt": 10}}, [1, 2]),
        ({"weight": {"$exists": False}}, [3]),
        ({"weight": None}, []),
        ({"tags": "zoo"}, [0, 2]),
        ({"tags": {"$nin": ["zoo", "park"]}}, [3]),
        ({"kind": {"$prefix": "pl"}}, [2]),
        ({"taken": {"$gte": "2026-01-01T00:00:00Z"}}, [1]),
        ({"taken": {"$lt": "2026-01-01T02:00:00+02:00"}}, [0]),
        ({"@occurred_at": {"$gt": "2026-06-01T00:00:00Z"}}, [3]),
        ({"@occurred_at": {"$gt": 1_780_272_000_000}}, [3]),
        ({"$or": [{"kind": "plant"}, {"weight": {"$lt": 1}}]}, [0, 2]),
        ({"$not": {"kind": "animal"}}, [2, 3]),
        ({"weight": {"$not": {"$gt": 1}}}, [0, 3]),
        ({"kind": "animal", "tags": {"$in": ["zoo"]}}, [0]),
        ({"new": True}, [2]),
        ({"@id": "b"}, [1]),
        ({"@id": {"$nin": ["a", "d", "z", 1]}}, [1, 2]),
        ({"@id": {"$prefix": "c"}}, [2]),
        ({"@occurred_at": {"$exists": False}}, [0, 1, 2]),
        ({"@occurred_at": 1_790_000_000_000}, [3]),
    ],
)
def test_what_each_operator_means(filter_: object, found: list[int], tmp_path: Path) -> None:
    rows = [
        row({"kind": "animal", "weight": 0.5, "tags": ["zoo", "night"], "taken": "2025-12-31T23:00:00Z"}, image_id="a"),
        row({"kind": "animal", "weight": 2, "tags": ["park"], "taken": "2026-01-01T00:00:00Z"}, image_id="b"),
        row({"kind": "plant", "weight": 9, "tags": ["zoo"], "taken": "yesterday", "new": True}, image_id="c"),
        row({}, occurred_at=1_790_000_000_000, image_id="d"),
    ]
    for fields in (table_of(*rows), sealed(tmp_path, rows)):
        assert np.flatnonzero(mask_of(parse_filter(filter_), fields)).tolist() == found
