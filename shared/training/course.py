"""The course of a training: epochs, each judged, put away and perhaps the last."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shared.training.learner import Learner
from shared.training.observer import Stopped, TrainingObserver
from shared.training.quality import Quality
from shared.training.record import Row, write_log

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a training ends."""

    epochs: int = 30
    patience: int = 8
    """So many epochs without a better mean average precision on the pictures held out are the end."""
    minutes: float | None = None
    """No epoch is begun that would not be done by then, if it takes as long as the one before."""

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.patience < 1:
            raise ValueError("at least one epoch, and patience for one, are needed")
        if self.minutes is not None and self.minutes <= 0:
            raise ValueError(f"{self.minutes} minutes are no time to learn in")


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a training is: what a checkpoint holds beside the learner."""

    rows: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    """What the encoder's file would hold after the best epoch."""

    @property
    def epoch(self) -> int:
        return len(self.rows) - 1

    @property
    def quality(self) -> Quality:
        """Of the best epoch."""
        return self.rows[self.best_epoch].quality

    def add(self, row: Row, tensors: Callable[[], dict[str, Tensor]]) -> None:
        self.rows.append(row)
        best = self.rows[self.best_epoch].quality.mean_average_precision
        if len(self.rows) == 1 or row.quality.mean_average_precision > best:
            self.best_epoch, self.best = self.epoch, tensors()


def run(
    learner: Learner,
    plan: Plan,
    folder: Path,
    observer: TrainingObserver,
    *,
    identity: Mapping[str, Any],
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.perf_counter,
) -> Progress:
    """Train to the end of the plan, from the checkpoint in the folder where there is one.

    identity: what a checkpoint must have been made with to be gone on from. Before the first epoch and after each, a
    checkpoint and the log are written. Raises Stopped, ValueError for another training's checkpoint, and OSError.
    """
    began = clock()
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        progress = _resume(learner, checkpoint, identity)
        observer.noted(f"going on after epoch {progress.epoch}")
    else:
        progress = Progress()
        progress.add(Row(epoch=0, seconds=0.0, losses={}, quality=learner.quality()), learner.tensors)
        learner.show(folder, 0)
        _put_away(learner, progress, checkpoint, identity)
    lap = clock()
    longest = 0.0
    while progress.epoch < plan.epochs and progress.epoch - progress.best_epoch < plan.patience:
        if plan.minutes is not None and clock() - began + longest > 60 * plan.minutes:
            observer.noted(f"the time is up after epoch {progress.epoch}")
            break
        epoch = progress.epoch + 1
        losses = _epoch(learner, epoch, plan, observer, stopped)
        row = Row(epoch=epoch, seconds=clock() - lap, losses=losses, quality=learner.quality())
        longest, lap = max(longest, row.seconds), clock()
        progress.add(row, learner.tensors)
        learner.show(folder, epoch)
        _put_away(learner, progress, checkpoint, identity)
        write_log(progress.rows, folder)
        observer.noted(row.sentence(best=progress.best_epoch == epoch))
    return progress


def _epoch(
    learner: Learner, epoch: int, plan: Plan, observer: TrainingObserver, stopped: Callable[[], bool]
) -> dict[str, float]:
    """Return the mean of each loss."""
    learner.begin_epoch((epoch - 1) / plan.epochs)
    steps = learner.steps_per_epoch
    observer.began(f"epoch {epoch} of {plan.epochs}", steps)
    sums: dict[str, float] = {}
    for _ in range(steps):
        if stopped():
            raise Stopped
        losses = learner.step()
        sums = {name: sums.get(name, 0.0) + loss for name, loss in losses.items()}
        observer.advanced(1, losses)
    return {name: total / steps for name, total in sums.items()}


def _put_away(learner: Learner, progress: Progress, path: Path, identity: Mapping[str, Any]) -> None:
    """Write the checkpoint; whoever interrupts this leaves the one before."""
    rows = [{**asdict(row), "quality": asdict(row.quality)} for row in progress.rows]
    content = {
        "identity": dict(identity),
        "rows": rows,
        "best_epoch": progress.best_epoch,
        "best": progress.best,
        "learner": learner.state(),
    }
    whole = path.with_suffix(".new")
    torch.save(content, whole)
    whole.replace(path)


def _resume(learner: Learner, path: Path, identity: Mapping[str, Any]) -> Progress:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        known = content["identity"]
    except Exception as error:
        raise ValueError(f"the checkpoint {path} cannot be read: {error}; begin in another folder") from error
    if differing := [name for name in identity if known.get(name) != identity[name]]:
        name = differing[0]
        raise ValueError(
            f"the checkpoint {path} is of a training with {name} {known.get(name)!r}, and not {identity[name]!r}; "
            "give what it was begun with, or another folder"
        )
    learner.restore(content["learner"])
    rows = [Row(**{**row, "quality": Quality(**row["quality"])}) for row in content["rows"]]
    return Progress(rows=rows, best_epoch=content["best_epoch"], best=content["best"])
