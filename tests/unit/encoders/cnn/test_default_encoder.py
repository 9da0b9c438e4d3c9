"""The default encoder with its real weights: that it is wired up right is told by what it recognises."""

from dataclasses import replace

import pytest
import timm
import torch
from torchvision.models import EfficientNet_B0_Weights

from shared.codes.i8 import I8
from shared.encoders.cnn.efficientnet_lite import efficientnet_lite0, packaged_weights, timm_name
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.weights import Weights, read_weights
from tests.unit.encoders.photos import Photos, leave_one_out_accuracy, recall

CLASSES = EfficientNet_B0_Weights.DEFAULT.meta["categories"]

SUBJECTS = {  # the photos whose subject is one of ImageNet's classes
    "crocodile": "African crocodile",
    "panda": "giant panda",
    "dam2": "dam",
    "dam3": "dam",
    "solar1": "solar dish",
    "solar4": "solar dish",
    "solar7": "solar dish",
    "fish25": "goldfish",
    "fish28": "puffer",
    "leMusee": "palace",
    "zimniPalace": "palace",
    "bucket": "bucket",
    "pan": "frying pan",
    "volleyball": "volleyball",
    "hammer3": "hammer",
    "hammer5": "hammer",
    "measuringTape3": "rule",
    "measuringTape4": "rule",
    "screwDriver": "screwdriver",
    "screwDriver2": "screwdriver",
}


@pytest.fixture(scope="module")
def weights() -> Weights:
    return read_weights(packaged_weights())


def test_the_network_computes_to_the_bit_what_timms_does(weights: Weights) -> None:
    named = {timm_name(name): tensor for name, tensor in weights.tensors.items() if not name.startswith("_fc")}
    noise = torch.rand((2, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    features = []
    for network in (efficientnet_lite0().module, timm.create_model("tf_efficientnet_lite0", num_classes=0)):
        network.load_state_dict(named)
        with torch.inference_mode():
            features.append(network.eval()(noise))
    assert torch.equal(*features)


def class_probabilities(encoder: CnnEncoder, weights: Weights, photos: Photos) -> torch.Tensor:
    """Put the classifier that belongs to the weights on top of the features again, for the photos of SUBJECTS."""
    rows = [photos.names.index(name) for name in SUBJECTS]
    features = encoder.features(photos.images[rows])
    return (features @ weights.tensors["_fc.weight"].T + weights.tensors["_fc.bias"]).softmax(dim=1)


def test_the_names_are_mapped_onto_the_same_tensors_in_the_same_order(weights: Weights) -> None:
    """The names are translated by rule; that both libraries list the layers in one order checks the rule."""
    wanted = efficientnet_lite0().module.state_dict()
    given = {timm_name(name): tensor for name, tensor in weights.tensors.items()}
    features = [name for name in given if not name.startswith("classifier.")]
    assert features == list(wanted)
    assert len(weights.tensors) == len(features) + 2 == 296


def test_it_names_what_the_photos_show(encoder: CnnEncoder, weights: Weights, photos: Photos) -> None:
    best = class_probabilities(encoder, weights, photos).argmax(dim=1).tolist()
    named = [CLASSES[number] for number in best]
    right = [name for name, subject in zip(named, SUBJECTS.values(), strict=True) if name == subject]
    assert len(right) >= 19


def test_with_imagenets_mean_and_deviation_it_would_be_less_sure(
    encoder: CnnEncoder, weights: Weights, photos: Photos
) -> None:
    network = efficientnet_lite0()
    usual = replace(network.preprocessing, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
    wrong = CnnEncoder("wrong", replace(network, preprocessing=usual), weights, encoder.device)
    subjects = torch.tensor([CLASSES.index(subject) for subject in SUBJECTS.values()])[:, None]
    loss, wrong_loss = (
        -class_probabilities(one, weights, photos).gather(1, subjects).log().mean().item() for one in (encoder, wrong)
    )
    assert loss < 0.4
    assert wrong_loss > 1.3 * loss


def test_three_photos_of_four_have_a_nearest_neighbour_of_their_own_kind(vectors: torch.Tensor, photos: Photos) -> None:
    assert leave_one_out_accuracy(vectors, photos.labels) >= 0.75


def test_one_byte_a_dimension_finds_what_four_bytes_find(vectors: torch.Tensor, photos: Photos) -> None:
    codes = I8().encode(vectors)
    assert recall(codes, vectors, 1) >= 0.98
    assert recall(codes, vectors, 10) >= 0.98
    assert leave_one_out_accuracy(codes, photos.labels) >= 0.75


def test_vectors_have_the_promised_shape_and_norm(encoder: Encoder, vectors: torch.Tensor) -> None:
    assert encoder.dim == 1280
    assert vectors.shape == (53, 1280)
    assert vectors.dtype is torch.float32
    assert torch.allclose(vectors.norm(dim=1), torch.ones(53))


def test_the_company_in_a_batch_does_not_matter(encoder: Encoder, photos: Photos, vectors: torch.Tensor) -> None:
    alone = encoder.encode(photos.images[7:8])
    assert torch.allclose(alone[0], vectors[7], atol=1e-5)
