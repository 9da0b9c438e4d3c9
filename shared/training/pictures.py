"""The pictures that an encoder learns from: found, read once, and parted in those to learn from and those held out."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from shared.encoders.pixels.preprocessing import Pixels, Preprocessing
from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits

_HELD_OUT_SHARE = 0.2
_MIN_CLASSES_APART = 10
"""With as many classes or more, whole ones are held out: how well new things are found is what matters."""
_MIN_PICTURES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    """Where a picture is, and the folder that says what it shows."""

    path: Path
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What was read: the central squares, at the size that the learner takes them in."""

    images: Tensor
    """uint8, (count, 3, side, side)."""
    labels: Tensor | None
    """int64, (count); None where nothing says what they show."""
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def only(self, rows: Tensor) -> "Pictures":
        labels = None if self.labels is None else self.labels[rows]
        return Pictures(images=self.images[rows], labels=labels, classes=self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which rows are learned from, and which tell how good it is; int64."""

    learned: Tensor
    held_out: Tensor
    whole_classes: bool
    """Whether no class has pictures in both."""


def find_pictures(folder: Path, suffixes: Iterable[str], excluded: Iterable[str] = ()) -> list[PictureFile]:
    """List the pictures below a folder by name. excluded: names of folders below it that are left out."""
    left_out, endings = set(excluded), set(suffixes)
    return [
        PictureFile(path=path, folder=str(path.parent.relative_to(folder)))
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in endings
        and path.is_file()
        and not left_out.intersection(path.relative_to(folder).parts[:-1])
    ]


def read_pictures(
    files: Sequence[PictureFile],
    side: int,
    *,
    labelled: bool,
    done: Callable[[PictureFile, PoisonInput | None], None] = lambda _file, _fault: None,
) -> Pictures:
    """Decode the central squares. Of equal files only the first is taken, so that none is on both sides of a split.

    done: hears of each file, and why it was left out if it was.
    Raises ValueError where there are too few pictures to learn from.
    """
    preprocessing = Preprocessing(
        crop=side, resize=side, interpolation="bicubic", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    )
    seen: set[bytes] = set()
    pixels, folders = [], []
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as threads:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
        try:
            for file, found in zip(files, threads.map(partial(_square, preprocessing), files), strict=True):
                if isinstance(found, PoisonInput):
                    done(file, found)
                    continue
                if found.digest not in seen:
                    pixels.append(found.pixels)
                    folders.append(file.folder)
                    seen.add(found.digest)
                done(file, None)
        finally:
            threads.shutdown(cancel_futures=True)
    if len(pixels) < _MIN_PICTURES:
        raise ValueError(f"{len(pixels)} pictures are too few to learn from; give {_MIN_PICTURES} or more")
    classes = tuple(sorted(set(folders))) if labelled else ()
    labels = torch.tensor([classes.index(folder) for folder in folders]) if len(classes) > 1 else None
    return Pictures(
        images=torch.from_numpy(np.stack(pixels)), labels=labels, classes=classes if labels is not None else ()
    )


def split(pictures: Pictures, seed: int) -> Split:
    """Hold out a fifth: whole classes where there are enough, else a fifth of each class, or of all."""
    generator = torch.Generator().manual_seed(seed)
    labels = pictures.labels
    if labels is None:
        order = torch.randperm(len(pictures), generator=generator)
        held_out = torch.zeros(len(pictures), dtype=torch.bool)
        held_out[order[: max(2, round(_HELD_OUT_SHARE * len(pictures)))]] = True
    elif len(pictures.classes) >= _MIN_CLASSES_APART:
        held_out = torch.isin(labels, _some_classes(labels, generator))
        return _parted(held_out, whole_classes=True)
    else:
        held_out = torch.zeros(len(pictures), dtype=torch.bool)
        for label in range(len(pictures.classes)):
            rows = torch.where(labels == label)[0]
            rows = rows[torch.randperm(len(rows), generator=generator)]
            held_out[rows[: max(2, round(_HELD_OUT_SHARE * len(rows)))]] = len(rows) > 3
    return _parted(held_out, whole_classes=False)


def _some_classes(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Choose a fifth of the classes, two at least."""
    classes = torch.unique(labels)
    order = torch.randperm(len(classes), generator=generator)
    chosen: Tensor = classes[order[: max(2, round(_HELD_OUT_SHARE * len(classes)))]]
    return chosen


def _parted(held_out: Tensor, *, whole_classes: bool) -> Split:
    if held_out.sum() < 2 or (~held_out).sum() < 2:
        raise ValueError("too few pictures of each class to hold some out; give 4 or more of each, or --unlabelled")
    return Split(learned=torch.where(~held_out)[0], held_out=torch.where(held_out)[0], whole_classes=whole_classes)


@dataclass(frozen=True, slots=True)
class _Square:
    digest: bytes
    """Of the file."""
    pixels: Pixels


def _square(preprocessing: Preprocessing, file: PictureFile) -> _Square | PoisonInput:
    limits = ImageLimits()
    try:
        data = _read(file.path, limits)
        image = decode_rgb(data, limits, preprocessing.decode_size)
        return _Square(hashlib.sha256(data).digest(), preprocessing.to_pixels(image))
    except PoisonInput as fault:
        return fault


def _read(path: Path, limits: ImageLimits) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except OSError as error:
        raise PoisonInput(RejectReason.NOT_FOUND, f"it cannot be read: {error.strerror}") from error
