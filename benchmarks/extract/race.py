"""All contenders on the same pictures, in turns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.extract.contender import Contender
from benchmarks.extract.pictures import Pictures
from benchmarks.memory import sampled
from benchmarks.table import Measured, counted, say


@dataclass(slots=True)
class Track:
    """What became of one contender. rates: images a second in each round. memory: MiB held, now and then."""

    contender: Contender
    rates: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    passes: int = 1

    def memory_row(self) -> Measured:
        return Measured(name=self.contender.label.name, values=self.memory)


class Race:
    """Runs the contenders, which are ready and frozen, one after another in each round: only one has the machine.

    Each takes as many passes over the pictures as fill a turn of `turn_s` seconds, going by its warm-up.
    """

    def __init__(self, contenders: Sequence[Contender], pictures: Pictures, *, turn_s: float) -> None:
        self.tracks = [Track(contender) for contender in contenders]
        self._pictures = pictures
        self._turn_s = turn_s

    async def run(self, rounds: int) -> None:
        for track in self.tracks:
            say(f"warming up: {track.contender.label.name}")
            await self._turn(track)
            rate = await self._turn(track)
            track.passes = max(1, round(self._turn_s * rate / len(self._pictures.files)))
        for _ in counted("rounds", rounds):
            for track in self.tracks:
                track.rates.append(await self._turn(track))

    async def _turn(self, track: Track) -> float:
        """Images a second."""
        contender, pictures = track.contender, self._pictures.passes(track.passes)
        contender.daemon.resume()
        try:
            await contender.seconds(self._pictures.one())  # that it is awake again
            async with sampled(contender.daemon.pid, track.memory):
                return len(pictures.files) / await contender.seconds(pictures)
        finally:
            contender.daemon.pause()
