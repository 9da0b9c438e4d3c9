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
    """Return float32 (nearly count, dim), unit vectors, no two of them equal. The crops come from all photos in turn.

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
    return distinct(np.concatenate(vectors))


def distinct(vectors: Vectors) -> Vectors:
    """Leave out what equals an earlier one: crops of plain sky do, and which of them is nearest means nothing."""
    firsts = np.unique(vectors.round(4), axis=0, return_index=True)[1]
    return vectors[np.sort(firsts)]


def _crop(picture: Image.Image, rng: np.random.Generator) -> bytes:
    width, height = (int(side * rng.uniform(_LEAST, _MOST)) for side in picture.size)
    left, top = int(rng.integers(picture.width - width)), int(rng.integers(picture.height - height))
    crop = picture.crop((left, top, left + width, top + height))
    if rng.random() < 0.5:
        crop = ImageOps.mirror(crop)
    data = io.BytesIO()
    ImageEnhance.Brightness(crop).enhance(rng.uniform(0.6, 1.4)).save(data, "BMP")
    return data.getvalue()
