"""The whole of it, from a folder to an encoder that a worker takes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from services.cli.__main__ import app
from shared.codes.f32 import F32
from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.engine.engine import ExtractionPolicy
from shared.encoders.registry import load_encoder
from shared.encoders.trained import read_description
from shared.training.course import CHECKPOINT, Plan
from shared.training.observer import Stopped
from shared.training.training import Training, train
from tests.unit.encoders.fakes import engine_of
from tests.unit.training.watching import Watched

PNG = frozenset({".png"})


def test_a_worker_takes_what_the_command_has_trained(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "scheme"
    options = ["--epochs", "2", "--dim", "32", "--views", "1", "--threads", "1", "--licence", "CC0"]
    ran = CliRunner().invoke(app, ["train", "--family", "rnn", "--data", str(folder), "--out", str(out), *options])
    assert ran.exit_code == 0, ran.output
    assert "broken.png: left out" in ran.stderr
    assert f"AFTERIMAGE_ENCODER=rnn AFTERIMAGE_ENCODER_WEIGHTS={out / 'encoder.safetensors'}" in ran.stdout

    described = read_description(out / "encoder.safetensors")
    assert (described.family, described.seed, described.architecture["dim"]) == ("rnn", 0, 32)
    assert described.data["pictures"] == 24
    assert described.data["left out because they cannot be read"] == 1
    card = (out / "MODEL_CARD.md").read_text()
    assert f"| mAP | {described.quality['mAP']:.4f} |" in card
    assert "| licence of the pictures | CC0 |" in card
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "log.csv").read_text().startswith("epoch,seconds,views,classes,recall_at_1,mean_average_precision")

    encoder = load_encoder("rnn", out / "encoder.safetensors", "cpu", backend="openvino")
    assert isinstance(encoder, OpenVinoEncoder)
    assert encoder.dim == 32


async def test_codes_of_a_trained_game_come_out_of_the_engine(folder: Path, tmp_path: Path) -> None:
    asked = Training(
        family="bigan",
        data=folder,
        out=tmp_path,
        suffixes=PNG,
        unlabelled=True,
        channels=4,
        batch=2,
        plan=Plan(epochs=1),
    )
    watched = Watched()
    outcome = train(asked, torch.device("cpu"), watched)
    assert outcome.encoder == "bigan"
    assert outcome.baseline is None
    assert [stage for stage in watched.stages if stage.startswith("epoch")] == ["epoch 1 of 1"]
    encoder = load_encoder("bigan", outcome.file, "cpu", backend="torch")
    async with engine_of(encoder, F32(), ExtractionPolicy()) as engine:
        assert engine.scheme.encoder == "bigan"
        codes = [
            np.frombuffer((await engine.extract((folder / name / "1.png").read_bytes())).code, np.float32)
            for name in ("red", "red", "blue")
        ]
    assert np.array_equal(codes[0], codes[1])
    assert not np.allclose(codes[0], codes[2])


def test_who_stops_it_early_finds_a_checkpoint_and_no_encoder(folder: Path, tmp_path: Path) -> None:
    watched = Watched()
    asked = Training(family="gan", data=folder, out=tmp_path, suffixes=PNG, channels=4, batch=2)
    with pytest.raises(Stopped):
        train(
            asked,
            torch.device("cpu"),
            watched,
            stopped=lambda: any(stage.startswith("epoch") for stage in watched.stages),
        )
    assert (tmp_path / CHECKPOINT).exists()
    assert not (tmp_path / "encoder.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--family", "cnn"], "there is no family 'cnn' to train; use rnn, cnn-head, gan, bigan"),
        (["--loss", "l2"], "there is no loss 'l2'; use supcon"),
        (["--minutes", "0"], "0.0 minutes are no time to learn in"),
    ],
)
def test_what_cannot_be_trained_is_said_at_once(
    options: list[str], sentence: str, folder: Path, tmp_path: Path
) -> None:
    ran = CliRunner().invoke(app, ["train", "--data", str(folder), "--out", str(tmp_path / "out"), *options])
    assert ran.exit_code == 2
    assert sentence in ran.stderr
