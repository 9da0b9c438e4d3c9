"""From images on this machine to their vectors, without a broker.

Importing this takes seconds, since it brings torch.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice

import numpy as np

from services.cli.pictures import Picture
from services.cli.vector_files import VectorLayout, Write
from shared.encoders.engine.engine import ExtractionEngine
from shared.encoders.engine.observer import Unobserved
from shared.encoders.engine.opening import open_engine
from shared.encoders.settings import EncodingSettings
from shared.events.faults import PoisonInput
from shared.imaging.guard import ImageLimits
from shared.runtime.settings import from_environment

_LISTED_AT_ONCE = 256

_DTYPES: Mapping[str, np.dtype[np.generic]] = {
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "i8": np.dtype(np.int8),
}
"""Of the numbers of a code; those of other codes are bytes."""


class EmbedSettings(EncodingSettings):
    """The encoder as the workers have it."""

    model_config = from_environment("AFTERIMAGE_")


Failed = Callable[[Picture, PoisonInput], None]
"""Hears of an image that has no vector, and why."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """Decodes and encodes images exactly as an extractor does."""

    engine: ExtractionEngine
    layout: VectorLayout

    async def embed(self, pictures: Iterable[Picture], write: Write, failed: Failed) -> None:
        """Write the vectors of the images, in their order; those without one are left out.

        Holds as many images as the engine takes at once. Raises what `write` raises, TransientFault
        when the engine stops, and what the device raises.
        """
        under_way: deque[tuple[Picture, asyncio.Task[bytes | PoisonInput]]] = deque()

        async def finish_first() -> None:
            picture, task = under_way.popleft()
            found = await task
            if isinstance(found, PoisonInput):
                failed(picture, found)
            else:
                await asyncio.to_thread(write, picture.name, np.frombuffer(found, self.layout.dtype))

        try:
            async with asyncio.TaskGroup() as tasks:
                async for picture in _listed(pictures):
                    if len(under_way) == self.engine.policy.max_in_flight:
                        await finish_first()
                    under_way.append((picture, tasks.create_task(self._code_of(picture))))
                while under_way:
                    await finish_first()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _code_of(self, picture: Picture) -> bytes | PoisonInput:
        try:
            data = await asyncio.to_thread(picture.read, ImageLimits().max_bytes)
            return (await self.engine.extract(data)).code
        except PoisonInput as fault:
            return fault


@asynccontextmanager
async def embedder(settings: EmbedSettings) -> AsyncIterator[Embedder]:
    """An embedder that is ready to work. Raises BadSettings, and TransientFault when a decoder does not start."""
    async with AsyncExitStack() as resources:
        engine = await open_engine(settings, Unobserved(), resources)
        scheme = engine.scheme
        dtype = _DTYPES.get(engine.code.dtype, np.dtype(np.uint8))
        layout = VectorLayout(
            dtype=dtype,
            dim=engine.code.bytes_per_vector(scheme.dim) // dtype.itemsize,
            metadata={
                "encoder": scheme.encoder,
                "weights_sha256": scheme.weights_sha256,
                "code": scheme.code,
                "scheme": scheme.fingerprint,
            },
        )
        yield Embedder(engine, layout)


async def _listed(pictures: Iterable[Picture]) -> AsyncIterator[Picture]:
    """List folders in a thread, some images at a time."""
    listing = iter(pictures)
    while some := await asyncio.to_thread(lambda: list(islice(listing, _LISTED_AT_ONCE))):
        for picture in some:
            yield picture
