"""Colour profiles made by hand from ICC.1:2001-12, and what they mean by its formulas."""

import struct

import numpy as np
import numpy.typing as npt

# The primaries, adapted to D50: those of Adobe RGB (1998), which is wider than sRGB, and those of sRGB.
WIDE = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
D50 = (0.9642, 1.0, 0.8249)


def screen_profile(primaries: npt.NDArray[np.float64], gamma: float) -> bytes:
    """An RGB profile of three primaries and one exponent."""
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    colorants = {b"rXYZ": primaries[:, 0], b"gXYZ": primaries[:, 1], b"bXYZ": primaries[:, 2]}
    tags = {name: _xyz(*colour) for name, colour in colorants.items()} | dict.fromkeys(
        (b"rTRC", b"gTRC", b"bTRC"), curve
    )
    return profile_of(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    return profile_of(
        b"mntr", b"GRAY", b"XYZ ", {b"kTRC": b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))}
    )


def ink_profile(lightness: npt.NDArray[np.float64]) -> bytes:
    """A CMYK profile whose inks are all grey. lightness: (2, 2, 2, 2), L* from 0 to 100 by which inks are there."""
    corners = b"".join(bytes([round(value * 2.55), 128, 128]) for value in lightness.reshape(-1))
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + corners + ramp * 3
    return profile_of(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def to_srgb(pixels: npt.NDArray[np.uint8], primaries: npt.NDArray[np.float64], gamma: float) -> npt.NDArray[np.float64]:
    """The same conversion by the formulas: linear light, the common space, linear sRGB, the curve of IEC 61966-2-1."""
    light = (pixels / 255.0) ** gamma @ primaries.T @ np.linalg.inv(SRGB).T
    return encode_srgb(light)


def encode_srgb(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in (x, y, z)))


def profile_of(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78), b"wtpt": _xyz(*D50)} | tags
    start, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, device, space, connection)
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in D50)) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body
