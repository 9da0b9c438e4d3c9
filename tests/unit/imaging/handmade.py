"""Files laid out byte by byte, for what Pillow reads and does not write."""

import struct
import zlib

import numpy as np
import numpy.typing as npt


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int, height: int, *, bits: int, colours: int, rows: bytes, before: bytes = b"", interlaced: bool = False
) -> bytes:
    """A PNG with nothing left to the encoder. colours: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + before + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def adam7(samples: npt.NDArray[np.uint32], *, bits: int) -> bytes:
    """A grey, interlaced PNG: seven pictures, each a coarser or finer grid of pixels (PNG, 8.2)."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    grids = [samples[top::down, left::across] for top, left, down, across in passes]
    rows = b"".join(b"\0" + row.astype(f">u{bits // 8}").tobytes() for grid in grids for row in grid)
    return png(samples.shape[1], samples.shape[0], bits=bits, colours=0, rows=rows, interlaced=True)


def bmp(width: int, height: int, *, bits: int, rows: bytes, palette: bytes = b"", masks: bytes = b"") -> bytes:
    """A Windows bitmap, rows from the bottom up and padded to four bytes; with masks, those of BI_BITFIELDS."""
    start = 14 + 40 + len(masks) + len(palette)
    compression = 3 if masks else 0
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + masks + palette + rows


def tiff(width: int, height: int, *, order: str, bits: int, layers: int, rows: bytes) -> bytes:
    """An uncompressed TIFF 6.0 of one strip, in the byte order "<" or ">"; one layer is grey, three are RGB."""
    entries = [
        (256, 3, width),
        (257, 3, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 1 if layers == 1 else 2),
        (273, 4, 0),
        (277, 3, layers),
        (278, 3, height),
        (279, 4, len(rows)),
    ]
    depths_at = 8 + 2 + 12 * len(entries) + 4
    pixels_at = depths_at + 2 * layers
    directory = struct.pack(f"{order}H", len(entries))
    for tag, kind, value in entries:
        if tag == 258 and layers > 1:
            directory += struct.pack(f"{order}HHII", tag, kind, layers, depths_at)
        else:
            body = struct.pack(f"{order}{'H2x' if kind == 3 else 'I'}", pixels_at if tag == 273 else value)
            directory += struct.pack(f"{order}HHI", tag, kind, 1) + body
    depths = struct.pack(f"{order}{layers}H", *[bits] * layers)
    magic = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return magic + directory + bytes(4) + depths + rows
