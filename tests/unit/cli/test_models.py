"""What can be used is listed, and what cannot with the reason."""

from pathlib import Path

import pytest
import torch
import torchvision
from rich.console import Console
from rich.progress import Progress

from services.cli.model_entries import ModelEntry
from services.cli.models import architectures, installed, software, weights_in, with_a_file


@pytest.fixture
def progress() -> Progress:
    return Progress(console=Console(quiet=True))


def test_an_installed_encoder_needs_no_other_setting_than_its_name() -> None:
    names = ["efficientnet_lite0", "rnn", "gan", "bigan"]
    assert [entry.shell for entry in installed()] == [f"AFTERIMAGE_ENCODER={name}" for name in names]


def test_settings_are_ready_for_a_shell() -> None:
    entry = ModelEntry(encoder="timm:resnet18", weights="/my models/resnet18.pth", sha256="ab")
    assert entry.shell == (
        "AFTERIMAGE_ENCODER=timm:resnet18 AFTERIMAGE_ENCODER_WEIGHTS='/my models/resnet18.pth' "
        "AFTERIMAGE_ENCODER_WEIGHTS_SHA256=ab"
    )
    assert ModelEntry().shell == "AFTERIMAGE_ENCODER=timm:MODEL AFTERIMAGE_ENCODER_WEIGHTS=FILE"


async def test_architectures_are_listed_with_what_keeps_them_from_use(progress: Progress) -> None:
    found = {entry.encoder: entry for entry in await architectures("tiny_vit_21m_*", progress=progress)}
    usable, unusable = found["timm:tiny_vit_21m_224"], found["timm:tiny_vit_21m_512"]
    assert (usable.dim, usable.input_size, usable.problem) == (576, 224, None)
    assert "only models that take the central square can be used" in (unusable.problem or "")


async def test_a_file_of_unknown_architecture_says_so_and_is_tried_on_those_that_are_asked_for(
    tmp_path: Path, progress: Progress
) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "weights.pth")
    (tmp_path / "notes.txt").write_text("no weights")
    [unknown] = await weights_in([tmp_path], pattern=None, progress=progress)
    assert unknown.encoder is None
    assert "--search PATTERN" in (unknown.problem or "")
    found = await weights_in([tmp_path], pattern="resnet18", progress=progress)
    assert [entry.encoder for entry in found] == ["timm:resnet18", "torchvision:resnet18"]
    assert {entry.sha256 for entry in found} == {unknown.sha256}


async def test_clip_models_are_listed_with_those_that_cannot_be_used_here(progress: Progress) -> None:
    found = {entry.encoder: entry for entry in await architectures("ViT-B-32", progress=progress)}
    usable, unusable = found["clip:ViT-B-32-quickgelu"], found["clip:coca_ViT-B-32"]
    assert (usable.dim, usable.input_size, usable.problem) == (512, 224, None)
    assert "is a model that writes captions" in (unusable.problem or "")


def test_families_that_need_a_file_are_named_with_what_else_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "clip:MODEL for searches by text; --search" in with_a_file()
    monkeypatch.setattr("services.cli.models.find_spec", lambda _name: None)
    assert "clip:MODEL for searches by text, which needs afterimage[clip]; --search" in with_a_file()


def test_the_software_that_computes_is_named() -> None:
    assert f"torch {torch.__version__.partition('+')[0]}" in software()
    assert "devices: cpu" in software()
