"""Whatever a tenant asks for, it is about their images alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.tenancy import Forbidden, Tenant
from shared.events.search_replies import ErrorCode, Hit, SearchFailure, SearchReply
from shared.events.search_requests import BadRequest, Example, SearchRequest
from shared.index.filters.syntax import parse_filter

SHOP = Tenant("shop")
TEXTS = st.text(max_size=4)
VALUES = st.one_of(TEXTS, st.integers(), st.booleans(), st.lists(TEXTS, max_size=2))
TESTS = st.one_of(VALUES, st.fixed_dictionaries({"$ne": TEXTS}), st.fixed_dictionaries({"$prefix": TEXTS}))
FIELDS = st.sampled_from(["tenant", "@id", "kind"])
CONDITIONS = st.recursive(
    st.dictionaries(FIELDS, TESTS, min_size=1, max_size=2),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"$not": inner}),
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_no_filter_widens_what_a_tenant_reaches(condition: dict[str, Any]) -> None:
    narrowed = SHOP.narrowed(SearchRequest(id="a", filter=condition)).filter
    assert narrowed is not None
    assert narrowed.keys() == {"$and"}
    assert narrowed["$and"][0] == {"tenant": "shop"}
    assert len(narrowed["$and"]) == 2


def test_a_search_without_a_filter_gets_one() -> None:
    assert SHOP.narrowed(SearchRequest(id="a")) == SearchRequest(id="shop/a", filter={"tenant": "shop"})


def test_every_id_in_a_search_is_one_of_the_tenants() -> None:
    asked = SearchRequest(
        examples=[Example(id="a"), Example(vector=[1.0]), Example(id="other/b", weight=-1)],
        exclude=frozenset({"c"}),
        filter={
            "@id": {"$nin": ["d"], "$prefix": "e"},
            "$or": [{"@id": "f"}, {"kind": "g", "$not": {"@id": {"$ne": "h"}}}],
        },
    )
    narrowed = SHOP.narrowed(asked)
    assert narrowed.examples is not None
    assert [example.id for example in narrowed.examples] == ["shop/a", None, "shop/other/b"]
    assert narrowed.examples[2].weight == -1
    assert narrowed.exclude == {"shop/c"}
    assert narrowed.filter == {
        "$and": [
            {"tenant": "shop"},
            {
                "@id": {"$nin": ["shop/d"], "$prefix": "shop/e"},
                "$or": [{"@id": "shop/f"}, {"kind": "g", "$not": {"@id": {"$ne": "shop/h"}}}],
            },
        ]
    }
    parse_filter(narrowed.filter)


def test_each_search_of_a_batch_is_narrowed() -> None:
    narrowed = SHOP.narrowed(SearchRequest(batch=[SearchRequest(id="a"), SearchRequest(id="b", filter={"kind": "x"})]))
    assert narrowed.batch is not None
    assert [each.id for each in narrowed.batch] == ["shop/a", "shop/b"]
    assert all(each.filter and "tenant" in str(each.filter) for each in narrowed.batch)


@pytest.mark.parametrize(
    "request_",
    [
        SearchRequest(id="a", explain=True),
        SearchRequest(uri="file:///data/other/a.jpg"),
        SearchRequest(uri="s3://bucket/other/a.jpg"),
        SearchRequest(uri="FILE:///data/other/a.jpg"),
        SearchRequest(examples=[Example(id="a"), Example(uri="s3://bucket/a.jpg")]),
        SearchRequest(batch=[SearchRequest(id="a"), SearchRequest(id="a", explain=True)]),
    ],
)
def test_what_reaches_beyond_is_refused(request_: SearchRequest) -> None:
    with pytest.raises(Forbidden):
        SHOP.narrowed(request_)


def test_public_addresses_may_be_named() -> None:
    assert SHOP.narrowed(SearchRequest(uri="https://example.org/a.jpg")).uri == "https://example.org/a.jpg"


def test_a_filter_without_end_is_refused() -> None:
    condition: dict[str, Any] = {"kind": "x"}
    for _ in range(200):
        condition = {"$not": condition}
    with pytest.raises(BadRequest, match="nested"):
        SHOP.narrowed(SearchRequest(id="a", filter=condition))


def test_a_tenant_sees_their_own_ids_and_attributes() -> None:
    reply = SearchReply(hits=[Hit(id="shop/shop/a", score=1.0, attributes={"tenant": "shop", "kind": "x"})])
    batch = SHOP.own_view(SearchReply(batch=[reply])).batch
    assert batch
    assert batch[0].hits == [Hit(id="shop/a", score=1.0, attributes={"kind": "x"})]
    unknown = SearchReply(error=SearchFailure(code=ErrorCode.UNKNOWN_ID, message="no image 'shop/a' is indexed"))
    seen = SHOP.own_view(unknown).error
    assert seen is not None
    assert seen.message == "no image 'a' is indexed"


@pytest.mark.parametrize("given_", [{"tenant": "other"}, {"tenant": ["shop", "other"]}, {"tenant": None}])
def test_nobody_chooses_the_tenant_of_what_they_upload(given_: dict[str, Any]) -> None:
    with pytest.raises(Forbidden, match="set by the key"):
        SHOP.stored_attributes(given_)
    assert SHOP.stored_attributes({"kind": "x"}) == {"kind": "x", "tenant": "shop"}
