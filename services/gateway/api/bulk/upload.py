"""Uploading line by line, many at once, and telling what becomes of each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias

from services.gateway.access.admission import Visit
from services.gateway.api.bulk.documents import BulkDone, BulkProgress, LineOutcome, State
from services.gateway.problems import Problem, document_of, problem_of
from services.gateway.sending import acknowledged
from shared.access.tenancy import Forbidden
from shared.client import BusUnavailable, NoAnswer, UploadRejected
from shared.events.faults import PoisonInput
from shared.events.uploads import read_native
from shared.runtime import tracing

UNDER_WAY = 256
"""Lines at once; the next is not read before one of them is done."""

Event: TypeAlias = LineOutcome | BulkProgress | BulkDone
Tell: TypeAlias = Callable[[Event], Awaitable[None]]


class _Unwelcome(Exception):
    """The caller's key is gone."""


class BulkUpload:
    """Uploads every line that comes. tell: awaited for each event, so that a slow listener slows the upload down.

    welcome: whether its caller may go on; looked at whenever progress is told. wait_s: how long each image may take to
    become searchable; 0 to have it accepted and no more.
    """

    def __init__(
        self, visit: Visit, tell: Tell, *, welcome: Callable[[], bool], wait_s: float, progress_every_s: float = 1.0
    ) -> None:
        self._visit = visit
        self._tell = tell
        self._welcome = welcome
        self._wait_s = wait_s
        self._progress_every_s = progress_every_s
        self._places = asyncio.Semaphore(UNDER_WAY)
        self._progress = BulkProgress()

    async def run(self, lines: AsyncIterator[bytes]) -> None:
        """Return when all is told. A problem with reading ends it, after what came before.

        A caller who is welcome no more ends it at once: of what is under way, nothing is told then.
        """
        problem: Problem | None = None
        try:
            async with asyncio.TaskGroup() as group:
                ticking = group.create_task(self._tick())
                problem = await self._read(lines)
                ticking.cancel()
        except* _Unwelcome:
            problem = Problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "the key was removed or changed: what was under way may still take effect, and nothing more is read",
            )
        document = None if problem is None else document_of(problem)
        await self._tell(BulkDone(**self._progress.model_dump(), problem=document))

    async def _read(self, lines: AsyncIterator[bytes]) -> Problem | None:
        """Return when what was read is told; with the problem that kept the rest from being read, if any."""
        async with asyncio.TaskGroup() as uploads:
            try:
                async for line in lines:
                    await self._visit.take_turn()
                    await self._places.acquire()
                    self._progress.lines += 1
                    uploads.create_task(self._upload(self._progress.lines, line))
            except Problem as error:
                return error
        return None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._progress_every_s)
            if not self._welcome():
                raise _Unwelcome
            await self._tell(self._progress.model_copy())

    async def _upload(self, number: int, line: bytes) -> None:
        try:
            with tracing.apart():  # else a long request were one trace, which no one could look at
                outcome = await self._outcome(number, line)
            setattr(self._progress, outcome.state, getattr(self._progress, outcome.state) + 1)
            await self._tell(outcome)
        finally:
            self._places.release()

    async def _outcome(self, number: int, line: bytes) -> LineOutcome:
        image_id = None
        try:
            upload = read_native(None, line)
            image_id = upload.id
            sent = await acknowledged(
                self._visit.index.upload(
                    image_id,
                    uri=upload.uri,
                    data=upload.data,
                    attributes=upload.attributes,
                    occurred_at=upload.occurred_at,
                )
            )
            if not self._wait_s:
                return LineOutcome(line=number, id=image_id, state="accepted")
            searchable = await self._visit.index.wait_searchable(sent, timeout_s=self._wait_s)
        except (PoisonInput, Forbidden, BusUnavailable, Problem, NoAnswer, UploadRejected) as error:
            state: State = (
                "rejected"
                if isinstance(error, UploadRejected)
                else "late"
                if isinstance(error, NoAnswer)
                else "refused"
            )
            return LineOutcome(line=number, id=image_id, state=state, problem=document_of(problem_of(error)))
        receipt = searchable.receipt
        return LineOutcome(
            line=number,
            id=image_id,
            state="superseded" if receipt.effect.value == "superseded" else "indexed",
            shard=receipt.shard,
            position=receipt.position,
            after_s=round(searchable.after_s, 6),
        )
