"""Children that start in order, live together and end in reverse order."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from services.cli.stack.process import Child, ChildDiedError, ChildSpec, LineSink
from services.cli.stack.reaper import Reaper


class Supervisor:
    """Starts children, stage by stage; `supervision` ends them."""

    def __init__(self, listeners: asyncio.TaskGroup, reaper: Reaper, sink: LineSink) -> None:
        self._listeners = listeners
        self._reaper = reaper
        self._sink = sink
        self._stages: list[list[Child]] = []
        self._first_death: asyncio.Future[ChildDiedError] = asyncio.get_running_loop().create_future()

    async def start(self, *specs: ChildSpec) -> None:
        """Start one stage: these side by side. Return when all are ready.

        raises ChildDiedError: one took too long. One that ends fails the whole `supervision`, now or later.
        """
        stage: list[Child] = []
        self._stages.append(stage)
        for spec in specs:
            child = await Child.spawn(spec, self._reaper)
            stage.append(child)
            self._listeners.create_task(self._attend(child), name=f"attend {spec.name}")
        for child in stage:
            await child.wait_ready()

    async def stop(self) -> None:
        """The last stage first; the children of one stage side by side. A cancellation kills what is left."""
        try:
            while self._stages:
                async with asyncio.TaskGroup() as tasks:
                    for child in self._stages[-1]:
                        tasks.create_task(child.stop())
                self._stages.pop()
        finally:
            for child in (child for stage in self._stages for child in stage):
                child.kill()

    async def fail_with_first_death(self) -> None:
        """Wait for a child that ends by itself, and raise its ChildDiedError."""
        raise await self._first_death

    async def _attend(self, child: Child) -> None:
        try:
            await child.attend(self._sink)
        except ChildDiedError as death:
            if not self._first_death.done():
                self._first_death.set_result(death)


@asynccontextmanager
async def supervision(reaper: Reaper, sink: LineSink) -> AsyncIterator[Supervisor]:
    """Children live as long as this block.

    raises ChildDiedError: a child ended by itself, which cancels the block.
    """
    with _plain_errors():
        # The listeners outlast the block: what the children say while they end is heard too.
        async with asyncio.TaskGroup() as listeners:
            supervisor = Supervisor(listeners, reaper, sink)
            try:
                async with asyncio.TaskGroup() as guards:
                    guard = guards.create_task(supervisor.fail_with_first_death(), name="guard")
                    yield supervisor
                    guard.cancel()
            finally:
                await supervisor.stop()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise a death as itself, and so what the block alone raised: task groups wrap both."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group.subgroup(ChildDiedError) or group
    else:
        return
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    raise error  # out here, so that its own cause and context stay as they were
