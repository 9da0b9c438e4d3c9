"""Real features: those that the default model gives of crops of the tests' photos, and of a folder's pictures."""

from pathlib import Path

import numpy as np

from benchmarks.bare import BATCH, BareExtraction
from benchmarks.index.apart import apart
from benchmarks.index.cache import Cache
from benchmarks.index.photo_crops import crop_features, distinct
from benchmarks.index.workload import Vectors, save
from benchmarks.table import counted
from shared.events.faults import PoisonInput

_SEED = 5
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


def features(cache: Cache, *, crops: int, pictures: Path | None, asked: int) -> Path:
    """Return the folder of a `Workload`. asked: of all, drawn at random, that are held out as queries."""
    files = _files(pictures)
    made_from = f"features 1 of {crops} crops and {len(files)} files in {pictures} by the default model, {asked} asked"
    return cache.folder(
        f"features-{crops + len(files)}", made_from, lambda place: apart(_save, place, crops, files, asked)
    )


def _files(pictures: Path | None) -> list[Path]:
    """In an order that does not depend on the file system."""
    return [] if pictures is None else sorted(path for path in pictures.rglob("*") if path.suffix.lower() in _SUFFIXES)


def _save(folder: Path, crops: int, files: list[Path], asked: int) -> None:
    vectors = np.concatenate([crop_features(crops), *_features_of(files)])
    vectors = np.random.default_rng(_SEED).permutation(distinct(vectors))
    save(folder, vectors[asked:], vectors[:asked])


def _features_of(files: list[Path]) -> list[Vectors]:
    """What cannot be decoded is left out."""
    bare = BareExtraction(threads=1)
    found = []
    for batch in counted("batches of pictures encoded", -(-len(files) // BATCH)):
        images = []
        for file in files[batch * BATCH : (batch + 1) * BATCH]:
            data = file.read_bytes()
            try:
                bare.decode(data)
            except PoisonInput:
                continue
            images.append(data)
        if images:
            found.append(bare.vectors(images))
    return found
