"""The course of a training: what it repeats, where it goes on, and when it ends."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from shared.encoders.gan.networks import AdversarialArchitecture
from shared.encoders.gan.readout import LayerReadout
from shared.training.course import CHECKPOINT, Plan, run
from shared.training.frozen import Seen
from shared.training.games.bigan import BiganLearner
from shared.training.games.game import GameRecipe
from shared.training.games.gan import GanLearner
from shared.training.heads import HeadLearner, HeadRecipe, projection_head, recurrent_head
from shared.training.learner import Learner
from shared.training.observer import Stopped
from shared.training.pictures import Pictures, Split
from shared.training.quality import Quality
from tests.unit.training.watching import Watched

CPU = torch.device("cpu")
PARTS = Split(learned=torch.arange(24), held_out=torch.arange(24, 32), whole_classes=False)
IDENTITY = {"family": "any", "seed": 7}


def head_learner(kind: str) -> HeadLearner:
    random = torch.Generator().manual_seed(2)
    labels = torch.arange(32) % 4
    place = torch.randn(4, 1280, generator=random)
    seen = Seen(
        maps=torch.randn(3, 32, 320, 2, 2, generator=random).half(),
        pooled=(place[labels] + torch.randn(3, 32, 1280, generator=random)).half(),
    )
    torch.manual_seed(7)
    head = {"rnn": recurrent_head, "cnn-head": projection_head, "unlabelled": recurrent_head}[kind](16)
    known = None if kind == "unlabelled" else labels
    return HeadLearner(head, HeadRecipe(batch=16), seen=seen, labels=known, parts=PARTS, device=CPU, seed=7)


def game_learner(kind: str) -> GanLearner | BiganLearner:
    random = torch.Generator().manual_seed(2)
    images = torch.randint(0, 256, (32, 3, 64, 64), dtype=torch.uint8, generator=random)
    pictures = Pictures(images=images, labels=None, classes=())
    chosen = {"gan": GanLearner, "bigan": BiganLearner}[kind]
    recipe = GameRecipe(batch=8, steps_per_epoch=2)
    architecture = AdversarialArchitecture(channels=4, latent=8, dim=16)
    return chosen(architecture, recipe, pictures=pictures, parts=PARTS, device=CPU, seed=7)


def made(kind: str) -> Learner:
    return game_learner(kind) if kind in {"gan", "bigan"} else head_learner(kind)


KINDS = ["rnn", "cnn-head", "unlabelled", "gan", "bigan"]


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_weights_and_going_on_is_as_if_nothing_had_been(kind: str, tmp_path: Path) -> None:
    plan = Plan(epochs=3, patience=3)
    learners = {name: made(kind) for name in ("first", "again", "interrupted")}
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        run(learners[name], plan, tmp_path / name, Watched(), identity=IDENTITY)
    assert same(learners["first"].tensors(), learners["again"].tensors())
    assert not same(learners["first"].tensors(), made(kind).tensors())

    steps = 0

    def after_five_steps() -> bool:
        nonlocal steps
        steps += 1
        return steps > 5

    (tmp_path / "interrupted").mkdir()
    with pytest.raises(Stopped):  # within the second or the third epoch
        run(
            learners["interrupted"],
            plan,
            tmp_path / "interrupted",
            Watched(),
            identity=IDENTITY,
            stopped=after_five_steps,
        )
    resumed, watched = made(kind), Watched()
    progress = run(resumed, plan, tmp_path / "interrupted", watched, identity=IDENTITY)
    assert watched.sentences[0].startswith("going on after epoch")
    assert same(learners["first"].tensors(), resumed.tensors())
    assert progress.epoch == 3
    lines = (tmp_path / "interrupted" / "log.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["epoch", "0", "1", "2", "3"]


def test_a_head_learns_what_tells_classes_apart(tmp_path: Path) -> None:
    progress = run(head_learner("rnn"), Plan(epochs=10), tmp_path, Watched(), identity=IDENTITY)
    losses = [sum(row.losses.values()) for row in progress.rows[1:]]
    assert losses[-1] < 0.7 * losses[0]
    assert progress.quality.mean_average_precision > 0.9


class Scripted(HeadLearner):
    """A head whose quality is what the test says."""

    def __init__(self, precisions: list[float]) -> None:
        self.__dict__ = head_learner("cnn-head").__dict__
        self._precisions = iter(precisions)

    def quality(self) -> Quality:
        return Quality(recall_at_1=0.5, mean_average_precision=next(self._precisions))


def test_it_ends_when_nothing_has_become_better_and_keeps_the_best(tmp_path: Path) -> None:
    learner = Scripted([0.1, 0.5, 0.4, 0.3, 0.9])
    kept: list[dict[str, torch.Tensor]] = []
    tensors = learner.tensors

    def remembered() -> dict[str, torch.Tensor]:
        kept.append(tensors())
        return kept[-1]

    learner.tensors = remembered  # type: ignore[method-assign]
    progress = run(learner, Plan(epochs=30, patience=2), tmp_path, Watched(), identity=IDENTITY)
    assert (progress.epoch, progress.best_epoch) == (3, 1)
    assert same(progress.best, kept[1])


def test_no_epoch_is_begun_that_would_not_be_done_in_time(tmp_path: Path) -> None:
    now = iter(range(0, 100_000, 50))  # each look at the clock is 50 s after the one before
    watched = Watched()
    progress = run(
        head_learner("cnn-head"),
        Plan(epochs=30, minutes=5),
        tmp_path,
        watched,
        identity=IDENTITY,
        clock=lambda: float(next(now)),
    )
    assert 1 <= progress.epoch <= 3
    assert watched.sentences[-1].startswith("the time is up after epoch")


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    run(head_learner("rnn"), Plan(epochs=1), tmp_path, Watched(), identity=IDENTITY)
    other: dict[str, Any] = {**IDENTITY, "seed": 8}
    with pytest.raises(ValueError, match="is of a training with seed 7, and not 8"):
        run(head_learner("rnn"), Plan(epochs=1), tmp_path, Watched(), identity=other)
    (tmp_path / CHECKPOINT).write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"checkpoint\.pt cannot be read"):
        run(head_learner("rnn"), Plan(epochs=1), tmp_path, Watched(), identity=IDENTITY)


def test_a_generator_leaves_a_sheet_of_samples_for_each_epoch(tmp_path: Path) -> None:
    run(game_learner("gan"), Plan(epochs=1), tmp_path, Watched(), identity=IDENTITY)
    assert [path.name for path in sorted(tmp_path.glob("samples-*.png"))] == ["samples-000.png", "samples-001.png"]


@pytest.mark.parametrize("kind", ["gan", "bigan"])
def test_the_encoder_reads_off_what_the_game_was_judged_by(kind: str) -> None:
    """Also without the spectral normalisation of a discriminator's weights, which belongs to the training alone."""
    learner = game_learner(kind)
    for _ in range(2):
        learner.begin_epoch(0.0)
        learner.step()
    learner.quality()
    images = learner._pictures.images[:4]
    plain = LayerReadout(AdversarialArchitecture(channels=4, latent=8, dim=16), inverse=kind == "bigan").eval()
    plain.load_state_dict(learner.tensors())
    with torch.no_grad():
        assert torch.allclose(plain(images / 127.5 - 1), learner._embed_all(images), atol=1e-4)


def test_the_readout_is_fitted_to_the_pictures_that_are_learned_from() -> None:
    learner = game_learner("gan")
    learner.quality()
    held_out = learner._pictures.images[PARTS.held_out]
    learner._pictures.images[PARTS.held_out] = 255 - held_out
    before = learner.tensors()
    learner.quality()
    assert same(learner.tensors(), before)
    learner._pictures.images[PARTS.learned] //= 2
    learner.quality()
    assert not same(learner.tensors(), before)
