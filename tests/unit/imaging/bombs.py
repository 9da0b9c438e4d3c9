"""Small files that ask for much."""

import re
import struct
import zlib
from functools import cache
from io import BytesIO

from PIL import Image

from tests.unit.imaging import icc
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


def text_bomb(name: bytes, megabytes: int) -> bytes:
    """A PNG with a compressed chunk that unpacks to much: zTXt, iCCP or iTXt."""
    head = {b"zTXt": b"a\0\0", b"iCCP": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}[name]
    whole = encoded(Image.new("RGB", (8, 8)), "PNG")
    header_ends = len(b"\x89PNG\r\n\x1a\n") + 25
    return whole[:header_ends] + png_chunk(name, head + _packed(megabytes)) + whole[header_ends:]


@cache
def _packed(megabytes: int) -> bytes:
    """The same for each kind of chunk: it takes a second to make."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def page_bomb(pages: int, *, endless: bool = False) -> bytes:
    """A TIFF of many tiny pages, or of pages in a circle; compressed, so that libtiff walks over them."""
    first = encoded(Image.new("L", (8, 8)), "TIFF", compression="tiff_lzw")
    start = int.from_bytes(first[4:8], "little")
    entries = int.from_bytes(first[start : start + 2], "little")
    next_at = start + 2 + 12 * entries
    page = first[start:next_at]
    places = [len(first) + (len(page) + 4) * number for number in range(pages)]
    follows = [*places[1:], start if endless else 0]
    body = b"".join(page + following.to_bytes(4, "little") for following in follows)
    return first[:next_at] + places[0].to_bytes(4, "little") + first[next_at + 4 :] + body


def strip_bomb(tag: int, value: int, count: int = 1) -> bytes:
    """A TIFF one of whose numbers is absurd."""
    data = bytearray(encoded(Image.new("L", (64, 64)), "TIFF", compression="tiff_lzw"))
    start = int.from_bytes(data[4:8], "little")
    for entry in range(start + 2, start + 2 + 12 * int.from_bytes(data[start : start + 2], "little"), 12):
        if int.from_bytes(data[entry : entry + 2], "little") == tag:
            data[entry + 2 : entry + 12] = struct.pack("<HII", 4, count, value)
    return bytes(data)


def comment_bomb(comments: int) -> bytes:
    """A GIF with a million remarks before its picture."""
    picture = encoded(Image.new("P", (8, 8)), "GIF")
    starts = picture.rindex(b",\0\0\0\0")
    return picture[:starts] + b"\x21\xfe\1a\0" * comments + picture[starts:]


def run_length_bomb(side: int) -> bytes:
    """A BMP of run-length codes that say nothing: lines that end at once, and runs of no pixel."""
    codes = b"\0\0" * side + b"\0\2\0\0" * 1_000_000 + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(codes), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(codes), 0, 0, 54 + 1024) + header + bytes(1024) + codes


def profile_bomb(elements: int) -> bytes:
    """An ICC profile that has every colour go through a long row of matrices (multiProcessElements of ICC.1:2022)."""
    matrix = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    start = 16 + 8 * elements
    table = b"".join(struct.pack(">II", start + len(matrix) * number, len(matrix)) for number in range(elements))
    row = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, elements) + table + matrix * elements
    return icc.profile_of(b"mntr", b"RGB ", b"XYZ ", {b"D2B0": row})
