"""The images: the photos that the tests use, inline in the upload events."""

from functools import cache
from itertools import cycle, islice
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "photos"


@cache
def photos() -> tuple[bytes, ...]:
    """All of them, as files."""
    return tuple(path.read_bytes() for path in sorted(FOLDER.rglob("*.webp")))


def cycled(count: int) -> list[bytes]:
    """`count` files, where the photos come again and again."""
    return list(islice(cycle(photos()), count))
