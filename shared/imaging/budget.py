"""How many bytes of images may be held at once, however many images are under way."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from shared.events.faults import TransientFault


class NoRoom(TransientFault):
    """There is no room for these bytes now: let go of them, wait for room for all of them, and read them again."""

    def __init__(self, size: int) -> None:
        super().__init__(f"there was no room for {size} bytes beside other images")
        self.size = size


class ByteBudget:
    """A bound on the bytes of images in memory, shared by all tasks of one event loop.

    Whoever waits gets room in the order of asking, and holds none meanwhile: nobody waits for somebody who waits. One
    image larger than the whole budget passes when nothing else is held.
    """

    def __init__(self, max_bytes: int) -> None:
        self.held = 0
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for room, counting those that gave up and are not passed yet."""
        return len(self._waiting)

    def room(self) -> "Room":
        """Room for one image, at first for no byte of it."""
        return Room(self)

    def take(self, size: int, *, beside: int) -> bool:
        """Take `size` bytes more for an image that has `beside` already, if there is room; one that has none queues."""
        if (self._waiting and not beside) or not self._fits(size, beside):
            return False
        self.held += size
        return True

    async def wait_for(self, size: int) -> None:
        """Take `size` bytes once there is room for them, and all that waited before have theirs."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            self.give_back(0 if turn.cancelled() else size)
            raise

    def give_back(self, size: int) -> None:
        self.held -= size
        self._admit()

    def _fits(self, size: int, beside: int) -> bool:
        return self.held + size <= self._max_bytes or self.held == beside

    def _admit(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.cancelled():
                if not self._fits(size, beside=0):
                    return
                self.held += size
                turn.set_result(None)
            self._waiting.popleft()


class Room:
    """What one image has of a budget; given back on leaving the context."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._size = 0

    def claim(self, size: int, *, of: int) -> None:
        """Have room for the first `size` of `of` bytes, at once. Raises NoRoom."""
        if size > self._size:
            if not self._budget.take(size - self._size, beside=self._size):
                raise NoRoom(of)
            self._size = size

    async def wait_for(self, size: int) -> None:
        """Give back what there is, and wait for room for `size` bytes."""
        self.keep(0)
        await self._budget.wait_for(size)
        self._size = size

    def keep(self, size: int) -> None:
        """Give back what goes beyond `size`."""
        surplus = max(0, self._size - size)
        self._size -= surplus
        self._budget.give_back(surplus)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.keep(0)
