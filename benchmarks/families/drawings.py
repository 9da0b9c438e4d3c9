"""Drawings of the Open Clip Art Library that the shipped weights have not learned from."""

import hashlib
from pathlib import Path

import numpy as np

from services.cli.sources import SUFFIXES
from shared.training.pictures import PictureFile, find_pictures, read_pictures, split

_EXCLUDED = ("unsorted",)
_SEED = 1
"""Those of `make train-weights`: the same pictures are parted in the same way."""
_SIDE = 8
"""Only which files can be read is of use here."""


def lay_out(library: Path, target: Path, *, per_class: int, seed: int = 0) -> tuple[int, int]:
    """Link drawings of the classes that were held out below `target`, a folder for each class, some drawn by the seed.

    Of equal files the first of the library alone counts, so that none was learned from. Returns how many drawings were
    held out and how many learned from, which are those of the model cards.
    """
    files = find_pictures(library, SUFFIXES, _EXCLUDED)
    unreadable: set[Path] = set()
    pictures = read_pictures(
        files, _SIDE, labelled=True, done=lambda file, fault: unreadable.add(file.path) if fault else None
    )
    parts = split(pictures, _SEED)
    assert pictures.labels is not None
    held_out = {pictures.classes[label] for label in pictures.labels[parts.held_out].unique().tolist()}
    firsts = _first_of_equals([file for file in files if file.path not in unreadable])
    generator = np.random.default_rng(seed)
    for name in sorted(held_out):
        paths = [file.path for file in firsts if file.folder == name]
        folder = target / name.replace("/", ".")
        folder.mkdir(parents=True)
        for number in sorted(generator.permutation(len(paths))[:per_class].tolist()):
            (folder / paths[number].name).symlink_to(paths[number])
    return len(parts.held_out), len(parts.learned)


def _first_of_equals(files: list[PictureFile]) -> list[PictureFile]:
    found: dict[bytes, PictureFile] = {}
    for file in files:
        found.setdefault(hashlib.sha256(file.path.read_bytes()).digest(), file)
    return list(found.values())
