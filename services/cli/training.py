"""From the options of `afterimage train` to a training.

Importing this takes seconds, since it brings torch.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from services.cli.failures import Failure, Status
from services.cli.sources import SUFFIXES
from shared.encoders.device import choose_device, configure_threads
from shared.training.card import Provenance
from shared.training.course import Plan
from shared.training.losses import LossName
from shared.training.observer import TrainingObserver
from shared.training.training import Family, Outcome, Training, train


def asked_for(
    *,
    family: str,
    loss: str,
    data: Path,
    out: Path,
    excluded: tuple[str, ...],
    unlabelled: bool,
    epochs: int,
    patience: int,
    minutes: float | None,
    seed: int,
    dim: int,
    channels: int,
    views: int,
    batch: int | None,
    max_pictures: int,
    resume: bool,
    licence: str | None,
    command: str,
) -> Training:
    """Return the training that the options ask for. Raises Failure."""
    chosen: Family | None = next((name for name in get_args(Family) if name == family), None)
    if chosen is None:
        raise Failure(f"there is no family {family!r} to train; use {', '.join(get_args(Family))}", Status.MISUSED)
    chosen_loss: LossName | None = next((name for name in get_args(LossName) if name == loss), None)
    if chosen_loss is None:
        raise Failure(f"there is no loss {loss!r}; use {', '.join(get_args(LossName))}", Status.MISUSED)
    try:
        plan = Plan(epochs=epochs, patience=patience, minutes=minutes)
    except ValueError as error:
        raise Failure(str(error), Status.MISUSED) from error
    training = Training(
        family=chosen,
        loss=chosen_loss,
        data=data,
        out=out,
        suffixes=frozenset(SUFFIXES),
        excluded=excluded,
        unlabelled=unlabelled,
        plan=plan,
        seed=seed,
        dim=dim,
        channels=channels,
        views=views,
        batch=batch,
        max_pictures=max_pictures,
        resume=resume,
        command=command,
    )
    return training if licence is None else replace(training, provenance=Provenance(licence=licence))


def make(
    training: Training, device: str, threads: int | None, observer: TrainingObserver, stopped: Callable[[], bool]
) -> Outcome:
    """Train. Takes minutes. Raises Failure, and Stopped."""
    configure_threads(threads or max(1, os.cpu_count() or 1))
    try:
        return train(training, choose_device(device), observer, stopped)
    except (ValueError, OSError) as error:
        raise Failure(str(error)) from error


def report(outcome: Outcome) -> str:
    """Say how good the encoder is, and how to use it."""
    found = outcome.quality
    against = (
        f"; efficientnet_lite0 has {outcome.baseline.mean_average_precision:.4f} and {outcome.baseline.recall_at_1:.4f}"
        if outcome.baseline
        else ""
    )
    return (
        f"on the pictures held out: mAP {found.mean_average_precision:.4f}, recall@1 {found.recall_at_1:.4f}{against}\n"
        f"AFTERIMAGE_ENCODER={outcome.encoder} AFTERIMAGE_ENCODER_WEIGHTS={outcome.file}"
    )
