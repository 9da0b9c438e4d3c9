"""What an extraction engine tells about its work."""

from typing import Protocol


class ExtractionObserver(Protocol):
    """Hears of every finished step, from the thread that did it. Must be thread-safe, and must not block."""

    def decoded(self, seconds: float) -> None:
        """One image was decoded and scaled."""

    def encoded(self, images: int, seconds: float) -> None:
        """One batch was encoded and quantized."""


class Unobserved:
    """Lets everything pass."""

    def decoded(self, seconds: float) -> None: ...

    def encoded(self, images: int, seconds: float) -> None: ...
