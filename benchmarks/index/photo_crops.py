"""Real image features: those that the default model gives of crops of the photos that the tests use."""

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.bare import BATCH, BareExtraction
from benchmarks.index.workload import Vectors
from benchmarks.photos import photos
from benchmarks.table import counted

_SEED = 53
_LEAST, _MOST = 0.15, 0.9
"""Of the photo's sides that a crop has."""


def crop_features(count: int) -> Vectors:
    """Return float32 (count, dim), unit vectors. The crops come from all photos in turn, no two alike.

    Each is a part of a photo, mirrored or not, brighter or darker: the neighbours of a crop are others of its photo, as
    those of an upload are other pictures of the same thing.
    """
    rng = np.random.default_rng(_SEED)
    bare = BareExtraction(threads=1)
    pictures = [Image.open(io.BytesIO(photo)).convert("RGB") for photo in photos()]
    vectors: list[Vectors] = []
    for batch in counted("batches of crops encoded", -(-count // BATCH)):
        first = batch * BATCH
        crops = [_crop(pictures[number % len(pictures)], rng) for number in range(first, min(first + BATCH, count))]
        vectors.append(bare.vectors(crops))
    return np.concatenate(vectors)


def _crop(picture: Image.Image, rng: np.random.Generator) -> bytes:
    width, height = (int(side * rng.uniform(_LEAST, _MOST)) for side in picture.size)
    left, top = int(rng.integers(picture.width - width)), int(rng.integers(picture.height - height))
    crop = picture.crop((left, top, left + width, top + height))
    if rng.random() < 0.5:
        crop = ImageOps.mirror(crop)
    data = io.BytesIO()
    ImageEnhance.Brightness(crop).enhance(rng.uniform(0.6, 1.4)).save(data, "BMP")
    return data.getvalue()
