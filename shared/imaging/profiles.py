"""Colour profiles (ICC.1): what the numbers in a file mean as colours."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Those of printing presses have up to three."""
_MAX_TAGS = 1000
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
_DEVICES = {"scnr", "mntr", "prtr", "spac"}
"""Scanners, screens, printers and colour spaces: what a picture can be in. Device links and such are no places."""
_KEPT_TRANSFORMS = 16


def to_srgb(image: Image.Image) -> Image.Image:
    """Return an image of mode L, RGB, CMYK or LAB in mode RGB, as sRGB.

    An embedded profile is applied, with perceptual intent, where it can be read and fits the mode: one that
    does not says nothing about the picture. Without one, the numbers are taken for sRGB, or for ideal inks.
    """
    transform = _transform(_embedded_profile(image), image.mode)
    if transform is not None:
        return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _embedded_profile(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and len(profile) <= _MAX_PROFILE_BYTES else b""


@lru_cache(maxsize=_KEPT_TRANSFORMS)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way to sRGB, or None where plain conversion leads there. The transforms may be shared by threads."""
    source = _parsed(profile, mode)
    if source is None:
        return None
    try:
        transform = ImageCms.ImageCmsTransform(source, _SRGB, mode, "RGB", ImageCms.Intent.PERCEPTUAL)
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _parsed(profile: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    if mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    if not profile or _has_endless_formulas(profile):
        return None
    try:
        parsed = ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return None
    fits = parsed.profile.xcolor_space.strip() == _SPACES[mode] and parsed.profile.device_class in _DEVICES
    return parsed if fits else None


def _has_endless_formulas(profile: bytes) -> bool:
    """Tell whether the profile has its colours computed by a row of steps of any length (ICC.1:2022, 10.14).

    No picture needs these. 6,000 of them took three seconds, and the limit of bytes lets ten times as many through.
    """
    tags = profile[132 : 132 + 12 * min(int.from_bytes(profile[128:132]), _MAX_TAGS)]
    return any(tags[at : at + 3] == b"D2B" for at in range(0, len(tags), 12))


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell whether the profile is sRGB in other words, as that of most photos is: then there is nothing to do."""
    levels = np.linspace(0, 255, 16, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    applied = np.asarray(transform.apply(Image.fromarray(cube)), dtype=int)
    return bool(np.abs(applied - cube).max() <= 1)


_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
