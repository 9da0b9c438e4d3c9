"""What a search may be asked, in the types that callers have at hand."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from shared.events.region import Region
from shared.events.search_requests import Example, SearchRequest
from shared.events.vectors import pack_vector


class Query(TypedDict, total=False):
    """The fields of a SearchRequest, which says what they mean; all but one of the first six may be left out."""

    image: bytes | None
    uri: str | None
    id: str | None
    vector: Sequence[float] | npt.NDArray[np.floating] | None
    """(dim,), as the index's encoder would give it; its length does not count. It goes as float32."""
    text: str | None
    examples: Sequence[Example] | None
    region: Region | None
    top_k: int
    offset: int
    min_score: float | None
    filter: Mapping[str, Any] | None
    exclude: Collection[str]
    exact: bool
    attributes: Collection[str] | None
    explain: bool
    min_position: Mapping[int, int] | None


_KEPT_AS: Mapping[str, Callable[[Any], Any]] = {
    "vector": pack_vector,
    "examples": list,
    "filter": dict,
    "exclude": frozenset,
    "attributes": frozenset,
    "min_position": dict,
}


def request_of(query: Query) -> SearchRequest:
    """As the bus has it. What is None counts as left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return SearchRequest(**{name: _KEPT_AS.get(name, _as_it_is)(value) for name, value in given.items()})


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - whatever it is
    return value
