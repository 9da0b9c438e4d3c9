"""The store is away or full, a disk is full, bits flip."""

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.simulation.store import flipped
from tests.property.simulation.story import OUTAGES_S, PLACES, SEARCHERS, Story


class DiskFaults(Story):
    @rule(seconds=OUTAGES_S)
    def lose_the_store(self, seconds: float) -> None:
        self.do(self._have("down", seconds))

    @rule(seconds=OUTAGES_S)
    def fill_the_store(self, seconds: float) -> None:
        self.do(self._have("full", seconds))

    @rule(seconds=OUTAGES_S)
    def fill_the_disk_of_the_indexers(self, seconds: float) -> None:
        self.do(self._fill_disk(seconds))

    @rule(kind=st.sampled_from(["/manifests/", "/segments/"]), number=PLACES, bit=PLACES)
    def flip_a_bit_in_the_store(self, kind: str, number: int, bit: int) -> None:
        """Of one of the newest manifests, or of any file of a segment."""
        self.do(self._flip_stored(kind, number, bit))

    @rule(searcher=SEARCHERS, number=PLACES, bit=PLACES)
    def flip_a_bit_on_the_disk_of_a_searcher(self, searcher: int, number: int, bit: int) -> None:
        """While it is not running; then it starts."""
        self.do(self._flip_on_disk(searcher, number, bit))

    async def _have(self, problem: str, seconds: float) -> None:
        store = self.world.around.store
        setattr(store, problem, True)
        await asyncio.sleep(seconds)
        setattr(store, problem, False)

    async def _fill_disk(self, seconds: float) -> None:
        self.world.around.disk_full = True
        await asyncio.sleep(seconds)
        self.world.around.disk_full = False

    async def _flip_stored(self, kind: str, number: int, bit: int) -> None:
        store = self.world.around.store
        if paths := sorted(path for path in store.objects.keys() - store.damaged if kind in path):
            store.flip(paths[-1 - number % len(paths)], bit)

    async def _flip_on_disk(self, searcher: int, number: int, bit: int) -> None:
        dead = self.world.searchers[searcher]
        await dead.process.kill()
        if files := sorted(path for path in dead.disk.rglob("*") if path.is_file()):
            file = files[number % len(files)]
            data = file.read_bytes()
            file.unlink()  # what is mapped stays as it was
            file.write_bytes(flipped(data, bit))
        self.world.searchers[searcher] = self.world.start_searcher(dead.disk)
