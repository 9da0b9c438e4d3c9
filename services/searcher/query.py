"""A query from its request to its ranked hits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from services.searcher.batches import SearchBatches
from shared.encoders.engine.engine import ExtractionEngine
from shared.events.faults import PoisonInput
from shared.events.search import ErrorCode, Hit, SearchReply, SearchRequest, Timings
from shared.index.filters.condition import Condition
from shared.index.filters.syntax import BadFilter, parse_filter
from shared.index.query import Query
from shared.index.search import query_of
from shared.index.segment import Match
from shared.replication.replica_set import ReplicaSet

Fetch = Callable[[str], Awaitable[bytes]]

_HEALING_S = 1.0
"""How long a query waits for replicas that have missed something: most read it within that time."""


class Unanswerable(Exception):
    """There are no hits for this request; the reply says why."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Stopwatch:
    """Collects how long each stage of one query took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()
        self._lap = self._started

    def lap(self, stage: str) -> None:
        """The time since the last lap belongs to `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._lap
        self._lap = now

    def split(self, first: str, seconds: float, rest: str) -> None:
        """The time since the last lap belongs to `first` for `seconds`, and to `rest` beyond that."""
        self.seconds[first] = self.seconds.get(first, 0.0) + seconds
        self._lap += seconds
        self.lap(rest)

    def timings(self, queue_s: float) -> Timings:
        """What the reply says; the total runs from the request's timestamp."""
        total_s = queue_s + time.perf_counter() - self._started
        stages = {**self.seconds, "queue": queue_s + self.seconds.get("queue", 0.0), "total": total_s}
        return Timings(**{f"{stage}_ms": round(1000 * seconds, 3) for stage, seconds in stages.items()})


class AnswerQuery:
    """Finds the hits of one request. Raises Unanswerable."""

    def __init__(self, *, replicas: ReplicaSet, engine: ExtractionEngine, fetch: Fetch, searcher: str) -> None:
        self._replicas = replicas
        self._batches = SearchBatches(replicas)
        self._engine = engine
        self._fetch = fetch
        self._searcher = searcher

    async def answer(self, request: SearchRequest, watch: Stopwatch) -> SearchReply:
        condition = _condition(request)
        await self._live()
        await self._reach(request.min_position)
        watch.lap("queue")
        self._check_scheme()
        code = await self._code(request, watch)
        positions = self._replicas.positions
        try:
            found = await self._batches.search(
                Query(
                    code=code,
                    k=request.top_k,
                    min_score=request.min_score,
                    condition=condition,
                    exclude=request.exclude,
                    exact=request.exact,
                )
            )
        except ValueError as error:
            raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error
        watch.lap("search")
        return SearchReply(
            hits=[_hit(match) for match in found],
            positions=positions,
            scheme=self._engine.scheme.fingerprint,
            searcher=self._searcher,
        )

    async def _live(self) -> None:
        if problem := self._replicas.not_live():
            try:
                async with asyncio.timeout(_HEALING_S):
                    await self._replicas.live()
            except TimeoutError:
                raise Unanswerable(ErrorCode.NOT_READY, problem) from None

    async def _reach(self, positions: Mapping[int, int]) -> None:
        if unknown := positions.keys() - self._replicas.positions.keys():
            raise Unanswerable(ErrorCode.BAD_REQUEST, f"min_position names shards that do not exist: {sorted(unknown)}")
        await self._replicas.reach(positions)

    def _check_scheme(self) -> None:
        """Vectors of different schemes are never compared."""
        mine = self._engine.scheme.fingerprint
        if others := {shard.scheme for shard in self._replicas.shards.values() if shard.scheme} - {mine}:
            raise Unanswerable(
                ErrorCode.NOT_READY,
                f"the index was made with scheme {', '.join(sorted(others))}, this searcher encodes with {mine}: "
                "set AFTERIMAGE_ENCODER and AFTERIMAGE_CODE alike for all workers",
            )

    async def _code(self, request: SearchRequest, watch: Stopwatch) -> bytes:
        if request.id is not None:
            code = await self._replicas.read(query_of, request.id)
            if code is None:
                raise Unanswerable(ErrorCode.UNKNOWN_ID, f"no image {request.id!r} is indexed")
            return code
        if request.vector is None and request.text is None:
            return await self._encode(request, watch)
        try:
            if request.text is not None:
                code = await self._engine.encode_text(request.text)
            else:
                code = await self._engine.quantize_vector(request.vector or ())
        except ValueError as error:
            raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error
        watch.lap("encode")
        return code

    async def _encode(self, request: SearchRequest, watch: Stopwatch) -> bytes:
        try:
            data = request.image
            if data is None:
                data = await self._fetch(request.uri or "")
                watch.lap("fetch")
            extracted = await self._engine.extract(data)
        except PoisonInput as fault:
            raise Unanswerable(ErrorCode.IMAGE_REJECTED, str(fault)) from fault
        watch.split("decode", extracted.decode_s, "encode")
        return extracted.code


def _condition(request: SearchRequest) -> Condition | None:
    if request.filter is None:
        return None
    try:
        return parse_filter(request.filter)
    except BadFilter as error:
        raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error


def _hit(match: Match) -> Hit:
    row = match.row
    return Hit(id=row.id, score=match.score, uri=row.uri, attributes=row.attributes, occurred_at=row.occurred_at)
