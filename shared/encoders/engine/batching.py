"""Single items in, whole batches to the device."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Generic, TypeVar

from shared.events.faults import TransientFault

Item = TypeVar("Item")
Result = TypeVar("Result")


class MicroBatcher(Generic[Item, Result]):
    """Runs a function over batches of what is waiting, one batch at a time.

    While the device works on one batch, the next one gathers. So a busy device gets full
    batches, and an idle one starts at once with what there is; unless more is known to be
    coming, for which it waits a little. Belongs to one event loop, on which all of its
    methods are called.
    """

    def __init__(
        self,
        process: Callable[[Sequence[Item]], Sequence[Result]],
        executor: Executor,
        *,
        max_items: int,
        max_waiting: int,
        max_wait_s: float = 0.0,
        coming: Callable[[], int] = lambda: 0,
    ) -> None:
        """Take the function, which returns one result for each item, and the executor that it runs in.

        max_wait_s: for how long the first item of a batch may be kept waiting for company.
        coming: how many items are about to be submitted; where there are none, nobody waits.
        """
        self._process = process
        self._executor = executor
        self._max_items = max_items
        self._max_wait_s = max_wait_s
        self._coming = coming
        self._waiting: asyncio.Queue[tuple[Item, asyncio.Future[Result]]] = asyncio.Queue(max_waiting)
        self._unanswered: set[asyncio.Future[Result]] = set()
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._worker is not None and not self._worker.done()

    def start(self) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._run(), name="micro-batcher")

    async def stop(self) -> None:
        """Stop, and fail whoever still waits with TransientFault. What the function is doing is not interrupted."""
        if self._worker is None:
            return
        self._worker.cancel()
        await asyncio.wait([self._worker])
        if not self._worker.cancelled():
            self._worker.result()  # a worker that ended by itself has an error to report

    async def submit(self, item: Item) -> Result:
        """Return the result for one item, or raise what the function raised for the item's batch.

        Raises TransientFault when the batcher does not run, or is stopped meanwhile, and
        asyncio.QueueFull when `max_waiting` items wait already: admission is the caller's task.
        """
        if not self.running:
            raise TransientFault("the batcher is not running")
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((item, answer))
        self._unanswered.add(answer)
        answer.add_done_callback(self._unanswered.discard)
        return await answer

    async def _run(self) -> None:
        try:
            while True:
                await self._answer(await self._next_batch())
        finally:
            fault = TransientFault("the batcher was stopped before this item had its turn")
            for answer in self._unanswered:
                if not answer.done():
                    answer.set_exception(fault)

    async def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch = [await self._waiting.get()]
        with suppress(TimeoutError):
            async with asyncio.timeout(self._max_wait_s):
                while len(batch) < self._max_items and (not self._waiting.empty() or self._may_wait()):
                    batch.append(await self._waiting.get())
        return [(item, answer) for item, answer in batch if not answer.done()]  # some callers may have left

    def _may_wait(self) -> bool:
        return self._max_wait_s > 0 and self._coming() > 0

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        if not batch:
            return
        items = [item for item, _ in batch]
        outcome = asyncio.get_running_loop().run_in_executor(self._executor, self._process, items)
        await asyncio.wait([outcome])
        waiting = [answer for _, answer in batch]
        if (error := outcome.exception()) is not None:
            for answer in filter(_unanswered, waiting):
                answer.set_exception(error)
        else:
            for answer, result in zip(waiting, outcome.result(), strict=True):
                if _unanswered(answer):
                    answer.set_result(result)


def _unanswered(answer: asyncio.Future[Result]) -> bool:
    return not answer.done()
