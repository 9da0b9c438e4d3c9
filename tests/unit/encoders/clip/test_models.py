"""CLIP models are those of open_clip: the same vectors of images and of texts, by any backend, without a network."""

import json
import sys
from pathlib import Path

import open_clip
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from shared.encoders.catalogue import describe
from shared.encoders.clip.texts import ClipTexts
from shared.encoders.encoder import texts_of
from shared.encoders.registry import load_encoder
from tests.unit.encoders.clip.tiny import CONFIG, NAME, SIDE, register, tiny_clip

TEXTS = ["a tabby cat", "a red fish, seen from above"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def model(weights: Path) -> nn.Module:
    """The same one as open_clip loads it."""
    model = open_clip.create_model("tiny", pretrained=str(weights))
    assert isinstance(model, nn.Module)
    return model.eval()


def noise() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (2, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
@torch.inference_mode()
def test_images_and_texts_have_the_vectors_that_open_clip_gives(backend: str, weights: Path, model: nn.Module) -> None:
    encoder = load_encoder(NAME, weights, "cpu", backend=backend)  # type: ignore[arg-type]
    assert encoder.backend == backend
    assert (encoder.name, encoder.dim, encoder.input_size) == (NAME, 16, SIDE)
    mean, std = (
        torch.tensor(values).view(3, 1, 1) for values in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    )
    images = model.encode_image((noise() / 255 - mean) / std, normalize=True)
    assert torch.allclose(encoder.encode(noise()), images, atol=1e-5)
    texts = texts_of(encoder)
    assert texts is not None
    expected = model.encode_text(open_clip.get_tokenizer("tiny")(TEXTS), normalize=True)
    assert torch.allclose(texts.encode_text(TEXTS), expected, atol=1e-6)


def test_of_a_text_that_is_too_long_the_beginning_counts(weights: Path) -> None:
    texts = texts_of(load_encoder(NAME, weights, "cpu", backend="torch"))
    assert texts is not None
    long, longer, other = texts.encode_text(["cat " * 50, "cat " * 90, "dog " * 50])
    assert torch.equal(long, longer)
    assert not torch.allclose(long, other, atol=1e-3)


def test_words_are_not_remembered_for_ever(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.encoders.clip.texts._WORDS_REMEMBERED", 10)
    texts = ClipTexts(model, 16, {})  # type: ignore[arg-type]
    first = texts.encode_text(["cat"])
    texts.encode_text([f"word{'x' * length}" for length in range(20)])
    assert len(texts._tokenize.cache) <= 10
    assert torch.equal(texts.encode_text(["cat"]), first)


def test_an_encoder_of_another_family_has_no_text_side() -> None:
    assert texts_of(load_encoder("timm:test_resnet", device="cpu", backend="torch", random_seed=1)) is None


def test_in_a_fusion_a_text_is_compared_by_the_members_that_read_texts(weights: Path) -> None:
    fused = load_encoder(f"0.36*{NAME}?weights={weights}+0.64*efficientnet_lite0", device="cpu", backend="torch")
    alone = load_encoder(NAME, weights, "cpu", backend="torch")
    fused_texts, texts = texts_of(fused), texts_of(alone)
    assert fused_texts is not None
    assert texts is not None
    vectors = fused_texts.encode_text(TEXTS)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-6)
    generator = torch.Generator().manual_seed(3)
    images = fused.encode(torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, generator=generator))
    expected = texts.encode_text(TEXTS) @ images[:, :16].T / 0.6
    assert torch.allclose(vectors @ images.T, 0.6 * expected, atol=1e-5)


def test_another_pooling_leaves_the_space_that_texts_share(weights: Path) -> None:
    pooled = load_encoder(f"{NAME}?layer=model.visual.transformer&pool=max", weights, "cpu", backend="torch")
    assert pooled.dim == 32
    assert texts_of(pooled) is None


def test_the_configuration_beside_the_weights_tells_the_preprocessing(weights: Path, tmp_path: Path) -> None:
    file = tmp_path / weights.name
    file.write_bytes(weights.read_bytes())
    usual = load_encoder(NAME, file, "cpu", backend="torch").preprocessing
    told = {"mean": [0.5, 0.5, 0.5], "interpolation": "bilinear", "size": [SIDE, SIDE]}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": told}))
    found = load_encoder(NAME, file, "cpu", backend="torch").preprocessing
    assert (usual.interpolation, found.interpolation) == ("bicubic", "bilinear")
    assert (found.mean, found.std, found.crop) == ((127.5, 127.5, 127.5), usual.std, SIDE)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ('{"preprocess_cfg": {"resize_mode": "squash"}}', "wants images brought to a square by 'squash'"),
        ("no json", "cannot be read as open_clip writes it"),
    ],
)
def test_a_configuration_that_is_of_no_use_is_refused(said: str, sentence: str, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text(said)
    file = tmp_path / weights.name
    file.write_bytes(weights.read_bytes())
    with pytest.raises(ValueError, match=sentence):
        load_encoder(NAME, file, "cpu")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("clip:no_such_model", "open_clip has no model 'no_such_model'"),
        ("clip:hf-hub:someone/model", "open_clip has no model"),
        ("clip:ViT-B-16-SigLIP", "reads texts by timm/ViT-B-16-SigLIP, which open_clip would have to download"),
        ("clip:coca_ViT-B-32", "is a model that writes captions"),
        ("clip:ViT-H-14", "put open_clip_config.json, which is published with them, into the folder"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_by_name(name: str, sentence: str, weights: Path) -> None:
    with pytest.raises(ValueError, match=sentence):
        describe(name, weights)


def test_a_tower_of_timm_is_built_without_a_download(tmp_path: Path) -> None:
    vision = {"image_size": 160, "timm_model_name": "test_vit", "timm_model_pretrained": True}
    register("tiny-timm", CONFIG | {"vision_cfg": vision, "custom_text": True}, tmp_path)
    encoder = load_encoder("clip:tiny-timm", device="cpu", backend="torch", random_seed=1)
    images = torch.zeros(1, 3, 160, 160, dtype=torch.uint8)
    assert encoder.encode(images).shape == (1, 16)


def test_the_models_of_open_clip_are_described_without_weights() -> None:
    found = describe("clip:ViT-B-32")
    assert (found.dim, found.input_size, found.parameters) == (512, 224, 151_277_313)


def test_weights_that_lack_the_text_side_are_refused(weights: Path, tmp_path: Path) -> None:
    tensors = safetensors.torch.load_file(weights)
    images = {name: tensor for name, tensor in tensors.items() if name.startswith("visual.")}
    safetensors.torch.save_file(images, tmp_path / "images.safetensors")
    with pytest.raises(ValueError, match=r"do not fit this model: .*is missing"):
        load_encoder(NAME, tmp_path / "images.safetensors", "cpu")


def test_without_open_clip_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ValueError, match=r"clip:ViT-B-32 needs open_clip.* install afterimage\[clip\]"):
        load_encoder("clip:ViT-B-32", device="cpu", random_seed=1)
