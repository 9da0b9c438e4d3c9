"""What Pillow's own writer never makes: depths, interlacing and layouts that other programs write."""

import struct

import numpy as np
import pytest
from PIL import Image

from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.unit.imaging.handmade import bmp, png, png_chunk, tiff
from tests.unit.imaging.pictures import BLUE, GREEN, RED, WHITE, distance, encoded, quarters

LIMITS = ImageLimits()


def pixels(data: bytes) -> list[list[tuple[int, ...]]]:
    return [[tuple(pixel) for pixel in row] for row in np.asarray(decode_rgb(data, LIMITS)).tolist()]


def row(form: str, *samples: int) -> bytes:
    return b"\0" + struct.pack(form, *samples)


@pytest.mark.parametrize(
    ("colours", "samples", "shown"),
    [
        pytest.param(0, (0x80FF,), (0x80,) * 3, id="grey"),
        pytest.param(2, (0xFFFF, 0x80FF, 0x00FF), (0xFF, 0x80, 0), id="RGB"),
        pytest.param(4, (0, 0), WHITE, id="grey and alpha"),
        pytest.param(6, (0xFFFF, 0, 0, 0xFFFF), RED, id="RGBA"),
    ],
)
def test_a_png_of_16_bits(colours: int, samples: tuple[int, ...], shown: tuple[int, int, int]) -> None:
    [[pixel]] = pixels(png(1, 1, bits=16, colours=colours, rows=row(f">{len(samples)}H", *samples)))
    assert pixel == shown


@pytest.mark.parametrize(
    ("bits", "rows"), [(1, row("B", 0x40)), (2, row("B", 0x10)), (4, row("B", 0x01)), (8, row("BB", 0, 1))]
)
def test_the_transparent_grey_of_a_png_is_white_at_every_depth(bits: int, rows: bytes) -> None:
    transparent = png_chunk(b"tRNS", struct.pack(">H", 1))
    assert pixels(png(2, 1, bits=bits, colours=0, rows=rows, before=transparent)) == [[(0, 0, 0), WHITE]]


def test_the_transparent_grey_of_a_16_bit_png_is_that_grey_alone() -> None:
    transparent = png_chunk(b"tRNS", struct.pack(">H", 0x1234))
    data = png(2, 1, bits=16, colours=0, rows=row(">2H", 0x1234, 0x1235), before=transparent)
    assert pixels(data) == [[WHITE, (0x12,) * 3]]


def test_the_transparent_colour_of_a_16_bit_png_is_white() -> None:
    transparent = png_chunk(b"tRNS", struct.pack(">3H", 0xFFFF, 0x0100, 0x0007))
    data = png(2, 1, bits=16, colours=2, rows=row(">6H", 0xFFFF, 0x0100, 7, 0, 0, 0), before=transparent)
    assert pixels(data) == [[WHITE, (0, 0, 0)]]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            bmp(2, 2, bits=24, rows=bytes([255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0])), id="24 bits"
        ),
        pytest.param(
            bmp(
                2,
                2,
                bits=8,
                rows=bytes([2, 3, 0, 0, 0, 1, 0, 0]),
                palette=b"\0\0\xff\0\0\xff\0\0\xff\0\0\0\xff\xff\xff\0",
            ),
            id="palette",
        ),
        pytest.param(
            bmp(
                2,
                2,
                bits=4,
                rows=bytes([0x23, 0, 0, 0, 0x01, 0, 0, 0]),
                palette=b"\0\0\xff\0\0\xff\0\0\xff\0\0\0\xff\xff\xff\0",
            ),
            id="palette of 4 bits",
        ),
        pytest.param(
            bmp(
                2,
                2,
                bits=16,
                rows=struct.pack("<4H", 0x001F, 0xFFFF, 0xF800, 0x07E0),
                masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F),
            ),
            id="16 bits",
        ),
        pytest.param(
            bmp(2, -2, bits=32, rows=struct.pack("<4I", 0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF)), id="from the top down"
        ),
    ],
)
def test_a_bmp(data: bytes) -> None:
    assert pixels(data) == [[RED, GREEN], [BLUE, WHITE]]


def test_a_bmp_of_run_lengths() -> None:
    codes = bytes([1, 2, 1, 3, 0, 0, 1, 0, 1, 1, 0, 1])  # from the bottom: one blue, one white; one red, one green
    data = bytearray(bmp(2, 2, bits=8, rows=codes, palette=b"\0\0\xff\0\0\xff\0\0\xff\0\0\0\xff\xff\xff\0"))
    data[30] = 1  # BI_RLE8
    assert pixels(bytes(data)) == [[RED, GREEN], [BLUE, WHITE]]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_in_either_byte_order(order: str, bits: int) -> None:
    samples = [sample * (257 if bits == 16 else 1) for colour in (RED, GREEN, BLUE, WHITE) for sample in colour]
    rows = struct.pack(f"{order}12{'H' if bits == 16 else 'B'}", *samples)
    assert pixels(tiff(2, 2, order=order, bits=bits, layers=3, rows=rows)) == [[RED, GREEN], [BLUE, WHITE]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_16_bit_grey(order: str) -> None:
    data = tiff(2, 1, order=order, bits=16, layers=1, rows=struct.pack(f"{order}2H", 0x80FF, 0x7F00))
    assert pixels(data) == [[(0x80,) * 3, (0x7F,) * 3]]


FAX = {"group3", "group4", "tiff_ccitt"}


@pytest.mark.parametrize(
    "compression",
    ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd", "lzma", "jpeg", *sorted(FAX)],
)
def test_a_compressed_tiff(compression: str) -> None:
    image = quarters().convert("1") if compression in FAX else quarters()
    data = encoded(image, "TIFF", compression=compression, **({"quality": 95} if compression == "jpeg" else {}))
    assert distance(decode_rgb(data, LIMITS), image.convert("RGB")) < 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_an_avif(mode: str) -> None:
    data = encoded(quarters().convert(mode), "AVIF", quality=100, subsampling="4:4:4")
    assert distance(decode_rgb(data, LIMITS), quarters().convert(mode).convert("RGB")) < 2


def test_the_first_frame_of_a_png_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    assert pixels(encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))[0][0] == RED


def test_the_first_frame_of_a_gif_lies_where_it_belongs_and_is_transparent_where_it_says() -> None:
    """A canvas of 4 x 1, and on it, from the second pixel on, a frame of red and of nothing."""
    canvas = b"GIF89a" + struct.pack("<HHBBB", 4, 1, 0x80, 0, 0) + bytes([255, 0, 0, 0, 0, 255])
    control = b"\x21\xf9\x04" + bytes([1, 0, 0, 1, 0])
    codes = 4 | 0 << 3 | 1 << 6 | 5 << 9  # of three bits: start, the two colours, end
    frame = b"," + struct.pack("<HHHHB", 1, 0, 2, 1, 0) + bytes([2, 2, *codes.to_bytes(2, "little"), 0])
    [[left, red, nothing, right]] = pixels(canvas + control + frame + b";")
    assert red == RED
    assert nothing == left == right == WHITE
