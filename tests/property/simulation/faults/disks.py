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

    @rule(of_manifest=st.booleans(), number=PLACES, bit=PLACES)
    def flip_a_bit_in_the_store(self, of_manifest: bool, number: int, bit: int) -> None:
        """In the newest manifest, or in a file that it names."""
        self.do(self._flip_stored(of_manifest, number, bit))

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

    async def _flip_stored(self, of_manifest: bool, number: int, bit: int) -> None:
        store = self.world.around.store
        newest = next((path for path in self.promises.manifests() if path not in store.damaged), None)
        if newest is None:
            return
        named = [path for path in sorted(self.promises.files(newest)) if path not in store.damaged]
        path = newest if of_manifest or not named else named[number % len(named)]
        store.flip(path, bit)
        if not store.down:
            self.promises.check_restoring(hours_ahead=0)

    async def _flip_on_disk(self, searcher: int, number: int, bit: int) -> None:
        dead = self.world.searchers[searcher]
        await dead.process.kill()
        if files := sorted(path for path in dead.disk.rglob("*") if path.is_file()):
            file = files[number % len(files)]
            data = file.read_bytes()
            file.unlink()  # what is mapped stays as it was
            file.write_bytes(flipped(data, bit))
        self.world.searchers[searcher] = self.world.start_searcher(dead.disk)
