"""One answer of several, each from some of the shards."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from shared.events.search_replies import Coverage, ErrorCode, Explanation, Hit, SearchReply, Timings
from shared.events.search_requests import SearchRequest, ids_of, with_codes

_ABOUT_THE_REQUEST = frozenset({ErrorCode.BAD_REQUEST, ErrorCode.UNSUPPORTED, ErrorCode.IMAGE_REJECTED})
"""Every group of searchers would say so."""


class Merging:
    """Takes the replies to a request as they come. The first of a searcher that holds all shards is the answer."""

    def __init__(self, request: SearchRequest) -> None:
        self._request = request
        self._replies: list[SearchReply] = []
        self._heard: set[int] = set()
        self._of = 0

    def add(self, reply: SearchReply) -> None:
        """A reply from shards that others have answered for already changes nothing: it came twice."""
        if not reply.coverage:
            self._replies, self._heard, self._of = [reply], {0}, 1
            return
        self._of = max(self._of, reply.coverage.of)
        if not self._heard.issuperset(reply.coverage.shards):
            self._heard.update(reply.coverage.shards)
            self._replies.append(reply)

    @property
    def complete(self) -> bool:
        """Whether every shard has been heard of, be it by an error."""
        return 0 < self._of <= len(self._heard)

    @property
    def ask_again_at_once(self) -> bool:
        """Whether the replies that are still to come bring nothing that asking by codes does not."""
        return self._request.batch is None and self.by_codes() is not None

    def answer(self) -> SearchReply | None:
        """What is known by now; None where nothing is."""
        if not self._replies or not self._replies[0].coverage:
            return self._replies[0] if self._replies else None
        return merged(self._request, self._replies)

    def by_codes(self) -> SearchRequest | None:
        """The request again, by codes instead of ids, where a searcher did not know an id that another one knows.

        None where that would bring nothing.
        """
        requests = self._request.batch or [self._request]
        again = [_by_codes(each, replies) for each, replies in zip(requests, self._by_request(), strict=True)]
        if not any(again):
            return None
        known = [each or request for each, request in zip(again, requests, strict=True)]
        return msgspec.structs.replace(self._request, batch=known) if self._request.batch else known[0]

    def _by_request(self) -> list[Sequence[SearchReply]]:
        """The replies to each request of a batch, or to the one that there is."""
        if self._request.batch is None:
            return [self._replies]
        return [_of_batch(self._replies, number) for number in range(len(self._request.batch))]


def merged(request: SearchRequest, replies: Sequence[SearchReply]) -> SearchReply:
    """The best hits of all, or an error where none has any. replies: at least one; each names its shards."""
    if request.batch is not None:
        each = [merged(one, _of_batch(replies, number)) for number, one in enumerate(request.batch)]
        return SearchReply(batch=each, searcher=_searchers(replies), coverage=_coverage(replies))
    good = [reply for reply in replies if reply.error is None]
    refused = [reply for reply in replies if reply.error is not None and reply.error.code in _ABOUT_THE_REQUEST]
    if refused or not good:
        return msgspec.structs.replace((refused or replies)[0], coverage=_coverage(replies), codes=UNSET)
    positions: dict[int, int] = {}
    for reply in good:
        positions |= reply.positions
    return SearchReply(
        hits=_best(good)[request.offset : request.offset + request.top_k],
        timings=_longest(good),
        positions=positions,
        scheme=good[0].scheme,
        searcher=_searchers(good),
        explanation=_explanation(good),
        coverage=_coverage(good),
    )


def _by_codes(request: SearchRequest, replies: Sequence[SearchReply]) -> SearchRequest | None:
    codes: dict[str, bytes] = {}
    for reply in replies:
        codes |= reply.codes or {}
    unknown = any(reply.error and reply.error.code is ErrorCode.UNKNOWN_ID for reply in replies)
    return with_codes(request, codes) if unknown and ids_of(request) <= codes.keys() else None


def _of_batch(replies: Sequence[SearchReply], number: int) -> Sequence[SearchReply]:
    """The replies to one request of a batch; an error is about each of them."""
    return [reply.batch[number] if reply.batch else reply for reply in replies]


def _best(replies: Sequence[SearchReply]) -> list[Hit]:
    """All hits by rank: best score first, equal scores by id. One that comes twice counts once."""
    hits: dict[str, Hit] = {}
    for hit in sorted((hit for reply in replies for hit in reply.hits), key=lambda hit: (-hit.score, hit.id)):
        hits.setdefault(hit.id, hit)
    return list(hits.values())


def _coverage(replies: Sequence[SearchReply]) -> Coverage | UnsetType:
    """Left out where all shards have answered."""
    coverages = [reply.coverage for reply in replies if reply.coverage]
    shards = sorted({shard for each in coverages for shard in each.shards})
    of = max(each.of for each in coverages)
    return UNSET if len(shards) == of else Coverage(shards=shards, of=of)


def _longest(replies: Sequence[SearchReply]) -> Timings:
    """The groups work side by side: of each stage, the longest."""
    every: Sequence[Mapping[str, float]] = [msgspec.structs.asdict(reply.timings) for reply in replies]
    return Timings(**{stage: max(each[stage] for each in every) for stage in every[0]})


def _explanation(replies: Sequence[SearchReply]) -> Explanation | UnsetType:
    explanations = [reply.explanation for reply in replies if reply.explanation]
    if not explanations:
        return UNSET
    return Explanation(
        expansion=max(each.expansion for each in explanations),
        segments=sorted((one for each in explanations for one in each.segments), key=lambda one: one.shard),
    )


def _searchers(replies: Sequence[SearchReply]) -> str:
    return ", ".join(reply.searcher for reply in replies)
