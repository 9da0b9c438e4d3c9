from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
import torchvision

from shared.encoders.device import choose_device, configure_threads
from shared.encoders.registry import load_encoder


@pytest.fixture(scope="module")
def timm_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a small timm model with its classifier, as timm publishes them."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    safetensors.torch.save_file(timm.create_model("test_resnet").state_dict(), path)
    return path


@pytest.fixture(scope="module")
def torchvision_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save(torchvision.models.get_model("squeezenet1_1", weights=None).state_dict(), path)
    return path


def noise(size: int) -> torch.Tensor:
    return torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def test_a_timm_model_gives_the_features_that_timm_gives(timm_file: Path) -> None:
    encoder = load_encoder("timm:test_resnet", timm_file, "cpu", backend="torch")
    model = timm.create_model("test_resnet", num_classes=0).eval()
    state = safetensors.torch.load_file(timm_file)
    model.load_state_dict({name: tensor for name, tensor in state.items() if not name.startswith("fc.")})
    images = noise(encoder.input_size)
    mean, std = (torch.tensor(model.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(model((images / 255 - mean) / std))
    assert torch.allclose(encoder.encode(images), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "file", "resize"),
    [
        ("resnet18", "any.pth", 256),
        ("mobilenet_v2", "mobilenet_v2-b0353104.pth", 256),
        ("mobilenet_v2", "mobilenet_v2-7ebf99e0.pth", 232),
    ],
)
def test_a_torchvision_model_gives_the_input_of_its_last_layer(
    model: str, file: str, resize: int, tmp_path: Path
) -> None:
    """The file's name tells which of the published recipes the weights belong to."""
    torch.manual_seed(1)
    whole = torchvision.models.get_model(model, weights=None).eval()
    torch.save(whole.state_dict(), tmp_path / file)
    encoder = load_encoder(f"torchvision:{model}", tmp_path / file, "cpu", backend="torch")
    images = noise(encoder.input_size)
    last = [layer for layer in whole.modules() if isinstance(layer, torch.nn.Linear)][-1]
    seen = []
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.inference_mode():
        whole((images / 255 - mean) / std)
    assert encoder.preprocessing.resize == resize
    assert torch.allclose(encoder.encode(images), torch.nn.functional.normalize(seen[0]), atol=1e-5)


def test_the_same_weights_have_the_same_hash_and_others_another(timm_file: Path) -> None:
    first, again, other = (
        load_encoder("timm:test_resnet", device="cpu", backend="torch", random_seed=seed) for seed in (1, 1, 2)
    )
    assert first.weights_sha256 == again.weights_sha256 != other.weights_sha256
    assert torch.equal(first.encode(noise(first.input_size)), again.encode(noise(again.input_size)))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "resnet18",
            "there is no encoder 'resnet18'; use efficientnet_lite0, rnn, gan, bigan, cnn_head, timm:MODEL, torch",
        ),
        ("timm:no_such_model", "timm has no model 'no_such_model'"),
        ("timm:hf-hub:someone/model", "timm has no model"),
        ("timm:test_resnet.no_such_tag", "timm cannot build 'test_resnet.no_such_tag'"),
        ("torchvision:no_such_model", "torchvision has no classifier 'no_such_model'"),
        ("torchvision:squeezenet1_1", "does not end in a linear layer"),
        ("torchvision:inception_v3", "torchvision has no classifier 'inception_v3' that can be used here"),
    ],
)
def test_a_model_that_is_not_offered_is_refused_by_name(name: str, sentence: str, timm_file: Path) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_encoder(name, timm_file, "cpu")


def test_without_a_weights_file_only_the_default_encoder_is_trained() -> None:
    with pytest.raises(ValueError, match="needs a file with its trained weights"):
        load_encoder("timm:test_resnet", device="cpu")


def test_weights_of_another_model_are_refused_with_what_does_not_fit(timm_file: Path) -> None:
    with pytest.raises(ValueError, match=r"do not fit this model: .* is missing"):
        load_encoder("efficientnet_lite0", timm_file, "cpu")


def test_weights_of_another_shape_are_refused(timm_file: Path, tmp_path: Path) -> None:
    state = safetensors.torch.load_file(timm_file)
    state["conv1.0.weight"] = state["conv1.0.weight"][:, :1].contiguous()
    safetensors.torch.save_file(state, tmp_path / "thin.safetensors")
    with pytest.raises(ValueError, match=r"conv1\.0\.weight has shape \(\d+, 1, 3, 3\) instead of"):
        load_encoder("timm:test_resnet", tmp_path / "thin.safetensors", "cpu")


class Payload:
    """What a hostile checkpoint would run when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return pytest.exit, ("unpickled code was run",)


@pytest.mark.parametrize("content", [{"weight": Payload()}, {"epoch": 3}, [1, 2, 3]], ids=["code", "number", "list"])
def test_a_checkpoint_with_anything_but_tensors_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(ValueError, match="tensors"):
        load_encoder("timm:test_resnet", tmp_path / "model.pth", "cpu")


@pytest.mark.parametrize("name", ["absent.safetensors", "absent.pth", "noise.safetensors", "noise.pth"])
def test_a_file_that_cannot_be_read_is_refused_by_its_path(name: str, tmp_path: Path) -> None:
    if name.startswith("noise"):
        (tmp_path / name).write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match=name):
        load_encoder("timm:test_resnet", tmp_path / name, "cpu")


def test_the_device_is_chosen_by_what_is_there() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(ValueError, match=device):
        choose_device(device)


def test_no_threads_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="0 threads"):
        configure_threads(0)
