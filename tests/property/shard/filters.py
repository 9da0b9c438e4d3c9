"""Filters, each with what it means said a second time, in Python."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from shared.events.images import Attributes
from shared.events.operations import Upsert

Holds = Callable[[Upsert], bool]

_KINDS = ["ox", "oxen", "cow"]
ATTRIBUTES: st.SearchStrategy[Attributes] = st.fixed_dictionaries(
    {},
    optional={
        "price": st.integers(0, 3) | st.just(1.5) | st.none(),
        "kind": st.sampled_from(_KINDS) | st.lists(st.sampled_from(_KINDS), max_size=2),
    },
)


@dataclass(frozen=True)
class Filter:
    """json: as a request has it. holds: whether it lets an image through."""

    json: dict[str, Any]
    holds: Holds


def _items(upsert: Upsert, name: str) -> list[Any]:
    """The values of an attribute, those of a list one by one."""
    value = upsert.attributes.get(name, [])
    return value if isinstance(value, list) else [value]


def _numbers(upsert: Upsert) -> list[float]:
    return [value for value in _items(upsert, "price") if value is not None]


def _leaves() -> st.SearchStrategy[Filter]:
    price, kind, time = st.integers(0, 3), st.sampled_from(_KINDS), st.integers(0, 30)
    return st.one_of(
        price.map(lambda n: Filter({"price": n}, lambda row: n in _items(row, "price"))),
        price.map(lambda n: Filter({"price": {"$ne": n}}, lambda row: n not in _items(row, "price"))),
        price.map(lambda n: Filter({"price": {"$gt": n}}, lambda row: any(each > n for each in _numbers(row)))),
        price.map(lambda n: Filter({"price": {"$lte": n}}, lambda row: any(each <= n for each in _numbers(row)))),
        st.booleans().map(lambda b: Filter({"price": {"$exists": b}}, lambda row: ("price" in row.attributes) is b)),
        kind.map(
            lambda k: Filter({"kind": {"$prefix": k}}, lambda row: any(v.startswith(k) for v in _items(row, "kind")))
        ),
        st.sets(kind).map(lambda s: Filter({"kind": {"$in": sorted(s)}}, lambda row: bool(s & {*_items(row, "kind")}))),
        st.sets(kind).map(lambda s: Filter({"kind": {"$nin": sorted(s)}}, lambda row: not s & {*_items(row, "kind")})),
        time.map(
            lambda t: Filter(
                {"@occurred_at": {"$gte": t}}, lambda row: row.occurred_at is not None and row.occurred_at >= t
            )
        ),
        st.sampled_from(["ant", "b"]).map(lambda p: Filter({"@id": {"$prefix": p}}, lambda row: row.id.startswith(p))),
    )


def _groups(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda each: Filter({"$not": each.json}, lambda row: not each.holds(row))),
        several.map(lambda all_: Filter({"$and": [f.json for f in all_]}, lambda row: all(f.holds(row) for f in all_))),
        several.map(lambda any_: Filter({"$or": [f.json for f in any_]}, lambda row: any(f.holds(row) for f in any_))),
    )


FILTERS = st.recursive(_leaves(), _groups, max_leaves=4)
