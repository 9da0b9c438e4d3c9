"""The RNN family: what its sweeps see, and that it is an encoder like any other."""

from pathlib import Path

import pytest
import torch

from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.recognition import WeightsFile
from shared.encoders.registry import load_encoder
from shared.encoders.rnn.head import RecurrentArchitecture, RecurrentHead
from shared.encoders.rnn.sweeps import Cell, Sweeps
from tests.unit.encoders.heads import random_file
from tests.unit.encoders.photos import Photos

SMALL = RecurrentArchitecture(hidden=16, dim=32)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_file(tmp_path_factory.mktemp("rnn") / "encoder.safetensors", "rnn", SMALL)


@pytest.fixture(scope="module")
def recurrent(weights: Path) -> Encoder:
    return load_encoder("rnn", weights, "cpu", backend="torch")


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_each_place_depends_on_every_other_after_both_sweeps(cell: Cell) -> None:
    torch.manual_seed(1)
    sweeps = Sweeps(3, 4, cell)
    feature_map = torch.randn(1, 3, 5, 6, requires_grad=True)
    swept = sweeps(feature_map)
    assert swept.shape == (1, 8, 5, 6)
    for row, column in ((0, 0), (4, 5), (2, 3)):
        [gradient] = torch.autograd.grad(swept[0, :, row, column].sum(), feature_map, retain_graph=True)
        assert bool((gradient.abs().sum(dim=1) > 0).all())


def test_images_of_a_batch_do_not_see_each_other() -> None:
    torch.manual_seed(1)
    sweeps = Sweeps(3, 4, "gru")
    maps = torch.randn(3, 3, 4, 4)
    assert torch.allclose(sweeps(maps)[1:2], sweeps(maps[1:2]), atol=1e-6)


def test_a_head_begins_at_a_projection_of_the_cnn_and_gradients_reach_its_sweeps_from_the_second_step_on() -> None:
    torch.manual_seed(1)
    head = RecurrentHead(SMALL)
    feature_map, pooled = torch.randn(4, 320, 7, 7), torch.randn(4, 1280)
    plain = head.pooled(torch.nn.functional.normalize(pooled))
    assert torch.equal(head(feature_map, pooled), plain)
    optimizer = torch.optim.SGD(head.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        head(feature_map, pooled).square().sum().backward()
        optimizer.step()
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in head.parameters())
    assert not torch.allclose(head(feature_map, pooled), head.pooled(torch.nn.functional.normalize(pooled)))


def test_an_embedding_is_what_its_head_makes_of_the_default_cnn(
    recurrent: Encoder, weights: Path, photos: Photos, vectors: torch.Tensor
) -> None:
    """The pooled features that the head is given are the vectors of efficientnet_lite0."""
    embeddings = recurrent.encode(photos.images[:4])
    assert embeddings.shape == (4, SMALL.dim)
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(4), atol=1e-5)
    head, cnn = recurrent.network[1].head, recurrent.network[1].cnn
    pixels = (photos.images[:4].float() - 127) / 128
    with torch.inference_mode():
        feature_map, pooled = cnn(pixels)
        expected = torch.nn.functional.normalize(head(feature_map, pooled))
    assert torch.allclose(torch.nn.functional.normalize(pooled), vectors[:4], atol=1e-4)
    assert torch.allclose(embeddings, expected, atol=1e-4)


def test_openvino_runs_the_sweeps_as_torch_does(recurrent: Encoder, weights: Path, photos: Photos) -> None:
    converted = load_encoder("rnn", weights, "cpu", backend="openvino")
    assert isinstance(converted, OpenVinoEncoder)
    images = photos.images[:3]
    cosines = torch.nn.functional.cosine_similarity(recurrent.encode(images), converted.encode(images))
    assert cosines.min() > 0.9999


def test_a_file_names_its_encoder_and_its_architecture(weights: Path) -> None:
    [found] = WeightsFile(weights).recognise()
    assert (found.encoder, found.dim, found.input_size) == ("rnn", SMALL.dim, 224)


def test_a_file_of_another_encoder_is_refused_by_name(weights: Path) -> None:
    with pytest.raises(ValueError, match="was trained for the encoder 'rnn', and not for 'cnn_head'"):
        load_encoder("cnn_head", weights, "cpu")


def test_a_file_that_says_nothing_of_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "encoder.safetensors").write_bytes(b"no safetensors")
    with pytest.raises(ValueError, match="does not say what `afterimage train` has made it for"):
        load_encoder("rnn", tmp_path / "encoder.safetensors", "cpu")
