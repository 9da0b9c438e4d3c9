"""Which encoders a weights file is for, by the names around it and the shapes in it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
import torchvision

from shared.encoders.cnn.efficientnet_lite import packaged_weights
from shared.encoders.recognition import WeightsFile

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def resnet18() -> State:
    return torchvision.models.resnet18().state_dict()


@pytest.fixture(scope="module")
def test_resnet() -> State:
    return timm.create_model("test_resnet").state_dict()


def recognised(path: Path) -> list[str]:
    return [found.encoder for found in WeightsFile(path).recognise()]


def saved(path: Path, state: State, save: Callable[[State, Path], None] = torch.save) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(state, path)
    return path


def test_the_installed_weights_are_those_of_the_default_encoder() -> None:
    assert recognised(packaged_weights()) == ["efficientnet_lite0"]


def test_a_file_that_is_called_as_it_was_published_is_for_that_encoder_alone(tmp_path: Path, resnet18: State) -> None:
    assert recognised(saved(tmp_path / "resnet18-f37072fd.pth", resnet18)) == ["torchvision:resnet18"]
    assert recognised(saved(tmp_path / "resnet18_a1_0-d63eafa0.pth", resnet18)) == ["timm:resnet18.a1_in1k"]


@pytest.mark.parametrize("folder", ["test_resnet.r160_in1k", "models--timm--test_resnet.r160_in1k/snapshots/0123"])
def test_a_file_from_the_hub_is_known_by_the_folder_of_its_model(
    folder: str, tmp_path: Path, test_resnet: State
) -> None:
    path = saved(tmp_path / folder / "model.safetensors", test_resnet, safetensors.torch.save_file)
    assert recognised(path) == ["timm:test_resnet.r160_in1k"]


def test_a_file_is_known_by_the_configuration_that_timm_saved_beside_it(tmp_path: Path, test_resnet: State) -> None:
    configuration = {"architecture": "test_resnet", "pretrained_cfg": {"tag": "r160_in1k"}}
    (tmp_path / "config.json").write_text(json.dumps(configuration))
    path = saved(tmp_path / "mine.safetensors", test_resnet, safetensors.torch.save_file)
    assert recognised(path) == ["timm:test_resnet.r160_in1k"]


def test_where_only_the_architecture_is_named_both_libraries_are(tmp_path: Path, resnet18: State) -> None:
    assert recognised(saved(tmp_path / "my-ResNet18-v2.pt", resnet18)) == ["timm:resnet18", "torchvision:resnet18"]


def test_a_name_is_not_believed_when_the_shapes_are_of_something_else(tmp_path: Path, test_resnet: State) -> None:
    assert recognised(saved(tmp_path / "resnet18-f37072fd.pth", test_resnet)) == []


def test_a_file_without_a_telling_name_can_be_tried_on_any_encoder(tmp_path: Path, resnet18: State) -> None:
    file = WeightsFile(saved(tmp_path / "weights.bin", resnet18))
    assert file.recognise() == []
    fit = file.fit("torchvision:resnet18")
    assert fit is not None
    assert fit.dim == 512
    assert file.fit("timm:resnet34") is None
    assert file.fit("timm:no_such_model") is None


def test_a_configuration_of_something_else_is_passed_over(tmp_path: Path, resnet18: State) -> None:
    for content in ("[1]", '{"architecture": "resnet18", "pretrained_cfg": null}', "no json"):
        (tmp_path / "config.json").write_text(content)
        assert recognised(saved(tmp_path / "mine.pth", resnet18)) == []


@pytest.mark.parametrize("content", [b"noise", b""])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_without_tensors_is_refused_by_its_path(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"damaged{suffix}"):
        WeightsFile(path)
