"""Waiting, without the time that it takes."""


class RecordedSleep:
    """Stands in for asyncio.sleep: returns at once, and remembers what was asked of it."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
