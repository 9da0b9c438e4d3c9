"""What fuzzing starts from: real inputs of every kind."""

from collections.abc import Iterator
from pathlib import Path

from shared.imaging.heif import register_heif
from tests.integration.image_corpus import heif_corpus, pillow_corpus

_MAX_BYTES = 16 * 1024
_ROOT = Path(__file__).parents[2]
_EVENTS = _ROOT / "tests/unit/events/golden"
_PHOTOS = _ROOT / "tests/data/photos"


def image_seeds() -> Iterator[bytes]:
    """Small files in all formats, each at full size and at a reduced one; fetches Pillow's tests once."""
    files = [photo.read_bytes() for photo in sorted(_PHOTOS.glob("*/*.webp"))]
    files += pillow_corpus().values()
    files += heif_corpus().values() if register_heif() else []
    for file in sorted({file for file in files if len(file) <= _MAX_BYTES}, key=lambda file: (len(file), file)):
        yield from (b"\0" + file, b"\x80" + file)


def event_seeds() -> Iterator[bytes]:
    """The values that the tests pin, with every choice of headers."""
    for path in sorted(_EVENTS.glob("*.json")):
        for choice in range(16):
            yield bytes([choice]) + b"an-id-of-16-byte" + path.read_bytes()
