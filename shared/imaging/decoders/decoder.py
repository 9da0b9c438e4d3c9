"""What every way to decode has in common."""

from types import TracebackType
from typing import Protocol, Self, TypeVar

from shared.events.region import Region

Decoded_co = TypeVar("Decoded_co", covariant=True)
"""What the pixels come in: an array, or a tensor that is on the encoder's device already."""


class Decoder(Protocol[Decoded_co]):
    """Decodes images for an event loop, and finishes each with the `Finish` that it was given.

    Used as an async context manager, once; within it, any number of tasks of that event
    loop may call it. What waits to be decoded is not bounded here: the caller does that.
    """

    async def decode(self, data: bytes, region: Region | None = None) -> Decoded_co:
        """Return the finished pixels, of a part of the picture where one is given.

        A caller that is cancelled leaves its image to be finished.

        Raises PoisonInput: what `decode_rgb` raises, and what the way to decode finds too dear.
        Raises TransientFault when there is nothing to decode with.
        """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the images at hand, then let go of what decodes."""


class Observe(Protocol):
    """Is told what each image took that was decoded, from threads."""

    def __call__(self, seconds: float, /) -> None: ...


def unobserved(_seconds: float, /) -> None:
    """For those who do not want to know."""
