"""What a caller asks is what the searchers are asked."""

import numpy as np
import pytest

from shared.client.query import request_of
from shared.events.region import Region
from shared.events.search_requests import Example, SearchRequest
from shared.events.vectors import pack_vector


def test_what_is_at_hand_is_asked_for_in_the_types_of_the_bus() -> None:
    examples = (Example(id="a"), Example(text="b", weight=-1))
    request = request_of(
        {"examples": examples, "exclude": ["a"], "attributes": ["kind", "kind"], "min_position": {0: 3}, "top_k": 5}
    )
    assert request == SearchRequest(
        examples=list(examples),
        exclude=frozenset({"a"}),
        attributes=frozenset({"kind"}),
        min_position={0: 3},
        top_k=5,
    )
    part = Region(0, 0, 0.5, 1)
    assert request_of({"image": b"x", "region": part}) == SearchRequest(image=b"x", region=part)


def test_a_vector_may_be_numbers_or_an_array() -> None:
    packed = SearchRequest(vector=pack_vector([1.0, 2.0]))
    assert request_of({"vector": [1.0, 2.0]}) == packed
    assert request_of({"vector": np.asarray([1, 2], dtype=np.float32)}) == packed


def test_what_is_none_is_left_out() -> None:
    assert request_of({"id": "a", "uri": None, "filter": None, "min_score": None}) == SearchRequest(id="a")


def test_a_name_that_no_request_has_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="topk"):
        request_of({"id": "a", "topk": 3})  # type: ignore[typeddict-unknown-key]  # as without a type checker
