"""Small files that ask for much."""

import re
from io import BytesIO

from PIL import Image

from tests.unit.imaging.handmade import png, png_chunk
from tests.unit.imaging.pictures import encoded


def pixel_bomb(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds hardly a pixel."""
    return png(width, height, bits=8, colours=2, rows=b"\0")


def chunk_bomb(chunks: int) -> bytes:
    whole = pixel_bomb(8, 8)
    header_ends = len(b"\x89PNG\r\n\x1a\n") + 25
    return whole[:header_ends] + png_chunk(b"tEXt", b"a\0") * chunks + whole[header_ends:]


def segment_bomb(segments: int) -> bytes:
    picture = encoded(Image.new("RGB", (8, 8)), "JPEG")
    return picture[:2] + b"\xff\xe1\0\2" * segments + picture[2:]


def scan_bomb(side: int, scans: int) -> bytes:
    """A flat progressive JPEG that draws its last scan over and over."""
    picture = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = max(found.start() for found in re.finditer(rb"\xff\xda", picture))
    return picture[:last] + picture[last:-2] * (scans - picture.count(b"\xff\xda") + 1) + b"\xff\xd9"


def frame_bomb(frames: int) -> bytes:
    """A GIF whose frames all cover a large canvas."""
    first, *others = [Image.new("P", (2000, 2000), shade % 256) for shade in range(frames)]
    buffer = BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others)
    return buffer.getvalue()
