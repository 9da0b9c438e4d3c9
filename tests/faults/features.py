"""Features as the extractors would write them, in any order, and what must have become of them."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.bus.producer import RecordProducer
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import VERSION, SourcePosition
from shared.events.topics import Topics
from tests.faults.chance import chance

_DIMENSIONS = 64
_IDS = 400
_HEAVY_IDS = 20
_DELETES = 0.2
_LATE = 0.15


@dataclass(frozen=True, slots=True)
class Winner:
    """The event that holds for an id: by its upload offset, the highest."""

    offset: int
    deleted: bool


class Features:
    """Writes to `images.features` by chance, and knows what a right index comes to.

    scheme: that of the searchers, who answer for no other.
    """

    def __init__(self, bootstrap_servers: str, *, namespace: str, scheme: str) -> None:
        self.acknowledged: dict[int, set[int]] = defaultdict(set)
        """Partition → the offsets of what Kafka has acknowledged."""
        self.winners: dict[str, Winner] = {}
        self._bootstrap_servers = bootstrap_servers
        self._topic = Topics(namespace).features
        self._scheme = scheme
        self._uploads = 0

    @property
    def live(self) -> dict[str, int]:
        """Id → the upload offset of the image that must be found."""
        return {image_id: winner.offset for image_id, winner in self.winners.items() if not winner.deleted}

    @property
    def deleted(self) -> list[str]:
        return [image_id for image_id, winner in self.winners.items() if winner.deleted]

    @property
    def operations(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    async def write(self, count: int, *, rng: random.Random) -> None:
        async with RecordProducer(self._bootstrap_servers, client_id="test") as producer:
            for _ in range(count):
                await self._one(producer, rng)

    @asynccontextmanager
    async def flowing(self, *, rng: random.Random, per_s: int, ballast: int = 0) -> AsyncIterator[None]:
        """Write all the while. Leaving waits until all is acknowledged.

        ballast: bytes in each record besides; it is few images then, so that the index stays small.
        """
        ended = False

        async def flow(producer: RecordProducer) -> None:
            while not ended:
                await self._one(producer, rng, ballast)
                await asyncio.sleep(1 / per_s)

        async with RecordProducer(self._bootstrap_servers, client_id="test") as producer:
            task = asyncio.create_task(flow(producer))
            try:
                yield
                ended = True
                await task
            finally:
                task.cancel()

    async def _one(self, producer: RecordProducer, rng: random.Random, ballast: int = 0) -> None:
        """An image, a delete, or either of them from an upload event that a later one has overruled already."""
        image_id = f"image-{rng.randrange(_HEAVY_IDS if ballast else _IDS)}"
        known = self.winners.get(image_id)
        self._uploads += 2
        late = known is not None and rng.random() < _LATE
        offset = rng.randrange(1, known.offset, 2) if late and known else self._uploads
        deleted = rng.random() < _DELETES
        source = SourcePosition(offset=offset, partition=0)
        stands = await producer.send_until_acknowledged(
            self._topic,
            key=image_id.encode(),
            value=None if deleted else self._feature(image_id, source, ballast),
            headers=source.headers() if deleted else (),
        )
        self.acknowledged[stands.partition].add(stands.offset)
        if not late:
            self.winners[image_id] = Winner(offset, deleted)

    def _feature(self, image_id: str, source: SourcePosition, ballast: int) -> bytes:
        """No two of them have the same code, whatever the chance that chose them."""
        code = chance(f"{image_id} {source.offset}").randbytes(_DIMENSIONS)
        return encode_feature(
            FeatureRecord(
                v=VERSION,
                id=image_id,
                code=code,
                scheme=self._scheme,
                source=source,
                uploaded_at=1_000,
                uri="x" * ballast if ballast else None,
                attributes={"upload": source.offset},
            )
        )
