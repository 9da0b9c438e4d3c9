"""From the options of `afterimage train` to a training.

Importing this takes seconds, since it brings torch.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.cli.failures import Failure, Status
from services.cli.sources import SUFFIXES
from shared.encoders.device import choose_device, configure_threads
from shared.training.card import Provenance
from shared.training.course import Plan
from shared.training.observer import TrainingObserver
from shared.training.training import Outcome, Training, train


def asked_for(
    *,
    epochs: int,
    patience: int,
    minutes: float | None,
    licence: str | None,
    **options: Any,  # noqa: ANN401 - of Training
) -> Training:
    """Return the training that the options ask for. Raises Failure."""
    try:
        plan = Plan(epochs=epochs, patience=patience, minutes=minutes)
        training = Training(suffixes=frozenset(SUFFIXES), plan=plan, **options)
    except ValueError as error:
        raise Failure(str(error), Status.MISUSED) from error
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
