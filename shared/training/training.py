"""From a folder of pictures to an encoder: all of it in one call."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from shared.encoders.gan.networks import SIDE, AdversarialArchitecture
from shared.encoders.trained import TrainedEncoder, write_trained
from shared.events.faults import PoisonInput
from shared.training.augmentation import Augmentation
from shared.training.card import Provenance, write_card
from shared.training.course import CHECKPOINT, Plan, Progress, run
from shared.training.frozen import FrozenCnn
from shared.training.games.bigan import BiganLearner
from shared.training.games.game import GameRecipe
from shared.training.games.gan import GanLearner
from shared.training.heads import HeadLearner, HeadRecipe, projection_head, recurrent_head
from shared.training.learner import Learner
from shared.training.losses import LossName
from shared.training.observer import Stopped, TrainingObserver
from shared.training.pictures import PictureFile, Pictures, Split, find_pictures, read_pictures, split
from shared.training.quality import Quality, among_classes
from shared.training.record import write_curves

Family = Literal["rnn", "cnn-head", "gan", "bigan"]

ENCODER = "encoder.safetensors"
_GAMES = frozenset({"gan", "bigan"})
_HEAD_BATCH = 128
_GAME_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What is trained, on what, and where it goes."""

    family: Family
    data: Path
    out: Path
    suffixes: frozenset[str]
    """Of the files that are pictures, in lower case."""
    excluded: tuple[str, ...] = ()
    unlabelled: bool = False
    max_pictures: int = 20_000
    seed: int = 0
    views: int = 3
    """Changed views of each picture that the frozen CNN looks at."""
    loss: LossName = "supcon"
    dim: int = 384
    channels: int = 48
    batch: int | None = None
    plan: Plan = field(default_factory=Plan)
    resume: bool = False
    command: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise ValueError(f"there is no family {self.family!r} to train; use {', '.join(get_args(Family))}")
        if self.loss not in get_args(LossName):
            raise ValueError(f"there is no loss {self.loss!r}; use {', '.join(get_args(LossName))}")

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree in."""
        return {
            "family": self.family,
            "seed": self.seed,
            "views": self.views,
            "loss": self.loss,
            "dim": self.dim,
            "channels": self.channels,
            "epochs": None if self.family in _GAMES else self.plan.epochs,  # a head's rate of learning goes by them
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it, on the pictures that were held out."""

    quality: Quality
    baseline: Quality | None
    """Of the plain CNN, where the family stands on it."""
    epochs: int
    encoder: str
    """The name that `load_encoder` takes."""
    file: Path


def train(
    training: Training, device: torch.device, observer: TrainingObserver, stopped: Callable[[], bool] = lambda: False
) -> Outcome:
    """Read the pictures, train, and write encoder, log, curves and card into the folder. Takes minutes.

    Raises Stopped, ValueError with a sentence that says what to change, and OSError.
    """
    training.out.mkdir(parents=True, exist_ok=True)
    if not training.resume:
        (training.out / CHECKPOINT).unlink(missing_ok=True)
    torch.manual_seed(training.seed)
    pictures, skipped = _read(training, observer, stopped)
    parts = split(pictures, training.seed)
    learner, baseline = _learner(training, pictures, parts, device, observer, stopped)
    identity = {**training.identity, "pictures": len(pictures)}
    progress = run(learner, training.plan, training.out, observer, identity=identity, stopped=stopped)
    described = TrainedEncoder(
        family=learner.family,
        architecture=learner.architecture(),
        data=_summary(training, pictures, parts, skipped),
        seed=training.seed,
        command=training.command,
        quality=_numbers(progress, baseline),
    )
    write_trained(training.out / ENCODER, _halved(progress.best), described)
    write_curves(progress.rows, training.out)
    write_card(training.out, described, training.provenance)
    return Outcome(
        quality=progress.quality,
        baseline=baseline,
        epochs=progress.epoch,
        encoder=learner.family,
        file=training.out / ENCODER,
    )


def _read(training: Training, observer: TrainingObserver, stopped: Callable[[], bool]) -> tuple[Pictures, int]:
    """Return the pictures, and how many could not be read."""
    files = find_pictures(training.data, training.suffixes, training.excluded)
    if len(files) > training.max_pictures:
        observer.noted(f"{len(files)} pictures are more than {training.max_pictures}; so many are drawn by the seed")
        files = _some(files, training.max_pictures, training.seed)
    observer.began("reading pictures", len(files))
    skipped = 0

    def done(file: PictureFile, fault: PoisonInput | None) -> None:
        nonlocal skipped
        if stopped():
            raise Stopped
        if fault is not None:
            skipped += 1
            observer.noted(f"{file.path}: left out: {fault}")
        observer.advanced(1, {})

    side = SIDE if training.family in _GAMES else FrozenCnn.side
    return read_pictures(files, side, labelled=not training.unlabelled, done=done), skipped


def _some(files: Iterable[PictureFile], count: int, seed: int) -> list[PictureFile]:
    listed = list(files)
    chosen = torch.randperm(len(listed), generator=torch.Generator().manual_seed(seed))[:count]
    return [listed[row] for row in sorted(chosen.tolist())]


def _learner(
    training: Training,
    pictures: Pictures,
    parts: Split,
    device: torch.device,
    observer: TrainingObserver,
    stopped: Callable[[], bool],
) -> tuple[Learner, Quality | None]:
    """Return what is trained, and how good the plain CNN is where it stands on that."""
    if training.family in _GAMES:
        game = GameRecipe(batch=training.batch or _GAME_BATCH)
        kind = GanLearner if training.family == "gan" else BiganLearner
        architecture = AdversarialArchitecture(channels=training.channels, dim=training.dim)
        return kind(architecture, game, pictures=pictures, parts=parts, device=device, seed=training.seed), None

    def looked(count: int) -> None:
        if stopped():
            raise Stopped
        observer.advanced(count, {})

    observer.began("looking at views by the CNN", (1 + training.views) * len(pictures))
    generator = torch.Generator().manual_seed(training.seed)
    seen = FrozenCnn(device).look(pictures.images, training.views, Augmentation(), generator, looked)
    baseline = None
    if pictures.labels is not None:
        baseline = among_classes(seen.pooled[0, parts.held_out].float(), pictures.labels[parts.held_out])
    recipe = HeadRecipe(loss=training.loss, batch=training.batch or _HEAD_BATCH)
    head = recurrent_head(training.dim) if training.family == "rnn" else projection_head(training.dim)
    learner = HeadLearner(
        head, recipe, seen=seen, labels=pictures.labels, parts=parts, device=device, seed=training.seed
    )
    return learner, baseline


def _summary(training: Training, pictures: Pictures, parts: Split, skipped: int) -> dict[str, Any]:
    held_out = "whole classes" if parts.whole_classes else "of each class" if pictures.classes else "of all"
    return {
        "folder": training.data.name,
        "pictures": len(pictures),
        "classes": len(pictures.classes) or "none: views of each picture",
        "learned from": len(parts.learned),
        "held out": f"{len(parts.held_out)} ({held_out})",
        "left out because they cannot be read": skipped,
    }


def _numbers(progress: Progress, baseline: Quality | None) -> dict[str, float]:
    numbers = {
        "recall@1": progress.quality.recall_at_1,
        "mAP": progress.quality.mean_average_precision,
        "recall@1 before training": progress.rows[0].quality.recall_at_1,
        "mAP before training": progress.rows[0].quality.mean_average_precision,
    }
    if baseline is not None:
        numbers |= {
            "recall@1 of efficientnet_lite0": baseline.recall_at_1,
            "mAP of efficientnet_lite0": baseline.mean_average_precision,
        }
    return numbers


def _halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Store float32 as float16, which an encoder computes from as well as from what was learned."""
    return {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
