"""From what a request gives as examples to the one code that is searched for."""

import asyncio
from collections.abc import Awaitable, Callable

from services.searcher.remembered import RememberedImages
from services.searcher.stopwatch import Stopwatch
from services.searcher.unanswerable import Unanswerable
from shared.encoders.engine.engine import ExtractionEngine, NoTextSide
from shared.events.faults import PoisonInput
from shared.events.search_replies import ErrorCode
from shared.events.search_requests import Pictured, SearchRequest
from shared.events.vectors import read_vector
from shared.index.combining import NothingLeft, combine
from shared.index.search import query_of
from shared.index.vectors import VectorFormat
from shared.replication.replica_set import ReplicaSet
from shared.runtime import tracing

Fetch = Callable[[str], Awaitable[bytes]]


class ExampleCodes:
    """Gives the code that a query brings, for one example or the weighted sum of several. Raises Unanswerable.

    The codes of query images that were seen before are remembered, by their bytes and the part of them that was asked
    for: whoever pages through the hits, or filters them, asks for the same image again.
    """

    def __init__(
        self,
        *,
        replicas: ReplicaSet,
        engine: ExtractionEngine,
        fetch: Fetch,
        remembered: RememberedImages,
        vector_format: VectorFormat,
    ) -> None:
        self._replicas = replicas
        self._engine = engine
        self._fetch = fetch
        self._remembered = remembered
        self._format = vector_format

    async def code_of(self, request: SearchRequest, watch: Stopwatch) -> bytes:
        """request: not a batch."""
        if request.examples is None:
            return await self._one(request, watch)
        codes = await asyncio.gather(*(self._one(example, Stopwatch()) for example in request.examples))
        watch.lap("encode")
        try:
            return combine(codes, [example.weight for example in request.examples], self._format)
        except NothingLeft as error:
            raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error

    async def _one(self, example: Pictured, watch: Stopwatch) -> bytes:
        if example.code is not None:
            return example.code
        if example.id is not None:
            code = await self._replicas.read(query_of, example.id)
            if code is None:
                raise Unanswerable(ErrorCode.UNKNOWN_ID, f"no image {example.id!r} is indexed")
            return code
        if example.vector is None and example.text is None:
            return await self._image(example, watch)
        try:
            if example.text is not None:
                code = await self._engine.encode_text(example.text)
            else:
                code = await self._engine.quantize_vector(read_vector(example.vector or ()))
        except NoTextSide as error:
            raise Unanswerable(ErrorCode.UNSUPPORTED, str(error)) from error
        except ValueError as error:
            raise Unanswerable(ErrorCode.BAD_REQUEST, str(error)) from error
        watch.lap("encode")
        return code

    async def _image(self, example: Pictured, watch: Stopwatch) -> bytes:
        try:
            data = example.image
            if data is None:
                with tracing.stage("fetch"):
                    data = await self._fetch(example.uri or "")
                watch.lap("fetch")
            code = self._remembered.get(data, example.region)
            if code is None:
                extracted = await self._engine.extract(data, example.region)
                watch.split("decode", extracted.decode_s, "encode")
                code = extracted.code
                self._remembered.put(data, example.region, code)
        except PoisonInput as fault:
            raise Unanswerable(ErrorCode.IMAGE_REJECTED, str(fault)) from fault
        return code
