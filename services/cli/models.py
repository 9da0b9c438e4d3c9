"""Finding encoders: those that are installed, weights files, and the architectures of timm, torchvision and open_clip.

Importing this takes seconds, since it brings torch.
"""

import asyncio
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rich.progress import Progress

from services.cli.model_entries import ModelEntry
from shared.encoders.catalogue import Architecture, describe, find_encoders
from shared.encoders.device import cuda_devices
from shared.encoders.recognition import WeightsFile
from shared.encoders.registry import PACKAGED
from shared.encoders.weights import SUFFIXES, sha256_of

_PACKAGES = ("torch", "timm", "torchvision", "open_clip_torch", "openvino")


def installed() -> list[ModelEntry]:
    """The encoders whose weights came with Afterimage, the default one first."""
    found = {name: packaged() for name, packaged in PACKAGED.items()}
    return [
        _entry(describe(name, weights), weights=str(weights), sha256=sha256, installed=True)
        for name, (weights, sha256) in found.items()
    ]


def with_a_file() -> str:
    """The families of which any model can be used that there is a weights file for, and what that needs."""
    clip = "" if find_spec("open_clip") else ", which needs afterimage[clip]"
    return (
        "With a weights file: timm:MODEL, torchvision:MODEL, cnn_head (by afterimage train), and "
        f"clip:MODEL for searches by text{clip}; --search PATTERN lists the models"
    )


def software() -> str:
    """The versions of what computes, and the devices that it can use."""
    versions = ", ".join(f"{package} {_version(package)}" for package in _PACKAGES)
    devices = ", ".join(["cpu", *cuda_devices()])
    return f"{versions}; devices: {devices}"


async def weights_in(places: Sequence[Path], *, pattern: str | None, progress: Progress) -> list[ModelEntry]:
    """The weights files at these places, with every encoder that each fits.

    pattern: what else to try for files whose names do not tell what they are for, see `find_encoders`.
    """
    files = [file for place in places for file in _weights_files(place.absolute())]
    entries: list[ModelEntry] = []
    if not files:
        return entries
    bar = progress.add_task("reading", total=len(files))
    for file in files:
        entries += await _look_at(file, pattern, progress)
        progress.advance(bar)
    return entries


async def architectures(pattern: str, *, progress: Progress) -> list[ModelEntry]:
    """The architectures that match, see `find_encoders`."""
    names = find_encoders(pattern)
    bar = progress.add_task("building", total=len(names))
    entries = []
    for name in names:
        try:
            entries.append(_entry(await asyncio.to_thread(describe, name)))
        except ValueError as error:
            entries.append(ModelEntry(encoder=name, problem=str(error)))
        progress.advance(bar)
    return entries


async def _look_at(path: Path, pattern: str | None, progress: Progress) -> list[ModelEntry]:
    try:
        sha256 = await asyncio.to_thread(sha256_of, path)
        file = await asyncio.to_thread(WeightsFile, path)
    except (OSError, ValueError) as error:
        return [ModelEntry(weights=str(path), problem=str(error))]
    fits = await asyncio.to_thread(file.recognise)
    if not fits and pattern is not None:
        fits = await _try_all(file, find_encoders(pattern), progress)
    if not fits:
        problem = "neither its name nor its folder's tells its architecture; --search PATTERN tries those that match"
        return [ModelEntry(weights=str(path), sha256=sha256, problem=problem)]
    return [_entry(fit, weights=str(path), sha256=sha256) for fit in fits]


async def _try_all(file: WeightsFile, names: Sequence[str], progress: Progress) -> list[Architecture]:
    bar = progress.add_task(f"trying {file.path.name}", total=len(names))
    fits = []
    for name in names:
        if fit := await asyncio.to_thread(file.fit, name):
            fits.append(fit)
        progress.advance(bar)
    progress.remove_task(bar)
    return fits


def _weights_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES and path.is_file())


def _entry(
    found: Architecture, *, weights: str | None = None, sha256: str | None = None, installed: bool = False
) -> ModelEntry:
    return ModelEntry(
        encoder=found.encoder,
        dim=found.dim,
        input_size=found.input_size,
        parameters=found.parameters,
        weights=weights,
        sha256=sha256,
        installed=installed,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
