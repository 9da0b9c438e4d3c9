"""A query from its request to its ranked hits."""

import asyncio
from collections.abc import Collection, Mapping

from msgspec import UNSET, UnsetType

from services.searcher.batches import SearchBatches
from services.searcher.effort import SearchEffort
from services.searcher.examples import ExampleCodes
from services.searcher.probe import RecallProbe
from services.searcher.stopwatch import Stopwatch
from services.searcher.unanswerable import Unanswerable
from shared.events.search_replies import Coverage, ErrorCode, Explanation, Hit, SearchReply, SegmentSearch
from shared.events.search_requests import SearchRequest, ids_of
from shared.index.filters.condition import Condition
from shared.index.filters.syntax import BadFilter, parse_filter
from shared.index.query import OtherScheme, Query
from shared.index.search import explain_shards, queries_of
from shared.index.segment import Match
from shared.replication.replica_set import ReplicaSet
from shared.runtime import tracing

_HEALING_S = 1.0
"""How long a query waits for replicas that have missed something: most read it within that time."""


class AnswerQuery:
    """Finds the hits of one request. Raises Unanswerable."""

    def __init__(
        self,
        *,
        replicas: ReplicaSet,
        examples: ExampleCodes,
        effort: SearchEffort,
        probe: RecallProbe,
        scheme: str,
        searcher: str,
        coverage: Coverage | None = None,
    ) -> None:
        """scheme: the fingerprint of what the examples are encoded by. coverage: None where the replicas are of all."""
        self._replicas = replicas
        self._effort = effort
        self._probe = probe
        self._batches = SearchBatches(replicas)
        self._examples = examples
        self._scheme = scheme
        self._searcher = searcher
        self._coverage = coverage

    @property
    def positions(self) -> dict[int, int]:
        """What the replicas have reached."""
        return self._replicas.positions

    async def answer(self, request: SearchRequest, watch: Stopwatch) -> SearchReply:
        condition = _condition(request)
        await self._live()
        if request.min_position:
            with tracing.stage("reach"):
                await self._reach(request.min_position)
        watch.lap("queue")
        self._check_scheme()
        codes = await self._codes(request) if self._coverage else UNSET
        query = Query(
            code=await self._examples.code_of(request, watch),
            k=request.offset + request.top_k,
            scheme=self._scheme,
            min_score=request.min_score,
            condition=condition,
            exclude=request.exclude,
            exact=request.exact,
            effort=self._effort.candidates,
        )
        positions = self.positions
        try:
            with tracing.stage("search"):
                found = await self._batches.search(query)
            watch.lap("search")
            explanation = await self._explain(query) if request.explain else UNSET
        except OtherScheme as error:  # its first rows came while the query was encoded
            raise self._of_other_scheme(error.scheme) from error
        except ValueError as error:
            raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error
        self._probe.offer(query)
        return SearchReply(
            # Of several answers, each from some of the shards, the first hits are known when all are there.
            hits=[_hit(match, request.attributes) for match in (found if self._coverage else found[request.offset :])],
            positions=positions,
            scheme=self._scheme,
            searcher=self._searcher,
            explanation=explanation,
            codes=codes,
        )

    async def _codes(self, request: SearchRequest) -> dict[str, bytes] | UnsetType:
        """Return the codes of the ids that are asked about, all of them; other shards' searchers cannot know them."""
        if not (ids := ids_of(request)):
            return UNSET
        codes = await self._replicas.read(queries_of, ids)
        if unknown := ids - codes.keys():
            named = ", ".join(repr(each) for each in sorted(unknown))
            raise Unanswerable(ErrorCode.UNKNOWN_ID, f"no image {named} is indexed in the shards here", codes=codes)
        return codes

    async def _explain(self, query: Query) -> Explanation:
        explained = await self._replicas.read(explain_shards, query)
        return Explanation(
            expansion=max(query.effort or 0, query.wanted + 1),
            segments=[
                SegmentSearch(
                    shard=shard,
                    segment=each.name,
                    rows=each.rows,
                    way="walk" if each.walked else "scan",
                    compared=each.compared,
                )
                for shard, segments in explained.items()
                for each in segments
            ],
        )

    async def _live(self) -> None:
        if problem := self._replicas.not_live():
            try:
                async with asyncio.timeout(_HEALING_S):
                    await self._replicas.live()
            except TimeoutError:
                raise Unanswerable(ErrorCode.NOT_READY, problem) from None

    async def _reach(self, positions: Mapping[int, int]) -> None:
        mine = self._replicas.positions.keys()
        if unknown := positions.keys() - (range(self._coverage.of) if self._coverage else mine):
            raise Unanswerable(ErrorCode.BAD_REQUEST, f"min_position names shards that do not exist: {sorted(unknown)}")
        await self._replicas.reach({shard: position for shard, position in positions.items() if shard in mine})

    def _check_scheme(self) -> None:
        """Before anything is encoded in vain; each search checks it too. Vectors of different schemes never meet."""
        schemes = {shard.scheme for shard in self._replicas.shards.values() if shard.scheme}
        if others := schemes - {self._scheme}:
            raise self._of_other_scheme(*others)

    def _of_other_scheme(self, *others: str) -> Unanswerable:
        return Unanswerable(
            ErrorCode.NOT_READY,
            f"the index was made with scheme {', '.join(sorted(others))}, this searcher encodes with {self._scheme}: "
            "set AFTERIMAGE_ENCODER and AFTERIMAGE_CODE alike for all workers",
        )


def _condition(request: SearchRequest) -> Condition | None:
    if request.filter is None:
        return None
    try:
        return parse_filter(request.filter)
    except BadFilter as error:
        raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error


def _hit(match: Match, chosen: Collection[str] | None) -> Hit:
    """chosen: the names of the attributes that are wanted; None for all."""
    row, attributes = match.row, match.row.attributes
    if chosen is not None:
        attributes = {name: value for name, value in attributes.items() if name in chosen}
    return Hit(id=row.id, score=match.score, uri=row.uri, attributes=attributes, occurred_at=row.occurred_at)
