"""Several extractors on one machine: one process for each device, or a part of the cores each."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.cli.stack import WORKERS, WorkerSpec

_NEXT_PORT = 8085
"""Behind those of the workers that are always there."""


def workers_with(count: int, *, devices: Sequence[str], environment: Mapping[str, str]) -> tuple[WorkerSpec, ...]:
    """All workers, with so many extractors.

    devices: the CUDA devices, which the extractors take in turn where there are several.
    environment: what is set there stays as it is, but for the name of an instance, which only one can have.
    """
    extractor, *others = WORKERS
    named = [
        replace(
            extractor,
            name=extractor.name if number == 0 else f"{extractor.name}-{number + 1}",
            http_port=extractor.http_port if number == 0 else _NEXT_PORT + number - 1,
            env=_share(number, count, devices, environment),
        )
        for number in range(count)
    ]
    return (*named, *others)


def _share(number: int, count: int, devices: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    share = {}
    if len(devices) > 1 and environment.get("AFTERIMAGE_DEVICE", "auto") in {"", "auto"}:
        share["AFTERIMAGE_DEVICE"] = devices[number % len(devices)]
    if count > 1 and not environment.get("EXTRACTOR_THREADS"):
        share["EXTRACTOR_THREADS"] = str(max(1, (os.cpu_count() or 1) // count))
    if count > 1 and (instance := environment.get("EXTRACTOR_INSTANCE_ID")):
        share["EXTRACTOR_INSTANCE_ID"] = f"{instance}-{number + 1}"
    return share
