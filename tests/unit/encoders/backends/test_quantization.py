"""An int8 network is a file of its own, with a scheme of its own, and its loss is known."""

from pathlib import Path

import pytest
import torch

from shared.codes.i8 import I8
from shared.encoders.backends.openvino_conversion import OpenVinoNetwork
from shared.encoders.backends.probes import noise
from shared.encoders.backends.quantization import MIN_IMAGES, loss, quantize
from shared.encoders.backends.quantized import pack
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder
from tests.unit.encoders.backends.networks import convolutional
from tests.unit.encoders.fakes import engine_of
from tests.unit.encoders.photos import Photos

NAME = "efficientnet_lite0"


@pytest.fixture(scope="module")
def unquantized_file(encoder: Encoder, network: OpenVinoNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The form of the file alone: the network in it is float32, which takes no calibration."""
    import openvino  # noqa: PLC0415 - after the fixture that keeps its telemetry out

    folder = tmp_path_factory.mktemp("network")
    openvino.save_model(network.model, folder / "network.xml", compress_to_fp16=False)
    path = folder / "network.safetensors"
    path.write_bytes(pack(encoder, *((folder / f"network.{kind}").read_bytes() for kind in ("xml", "bin"))))
    return path


def test_the_file_is_an_encoder_with_a_scheme_of_its_own(
    unquantized_file: Path, encoder: Encoder, photos: Photos, vectors: torch.Tensor
) -> None:
    found = load_encoder(NAME, unquantized_file)
    assert (found.name, found.backend, found.number_format, found.dim) == (NAME, "openvino", "i8", encoder.dim)
    assert found.preprocessing == encoder.preprocessing
    assert torch.allclose(found.encode(photos.images[:3]), vectors[:3], atol=1e-5)
    schemes = {engine_of(one, I8()).scheme.fingerprint for one in (encoder, found)}
    assert len(schemes) == 2


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"backend": "torch"}, "only OpenVINO runs"),
        ({"precision": "fast"}, "made for the precision exact"),
        ({"weights_sha256": "0" * 64}, "is pinned to 0000"),
        ({"name": "timm:resnet50"}, "holds a network of 'efficientnet_lite0', and not of 'timm:resnet50'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_a_sentence(
    settings: dict[str, str], sentence: str, unquantized_file: Path
) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_encoder(**{"name": NAME, "weights": unquantized_file, **settings})


def test_a_damaged_file_is_refused(unquantized_file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    content = unquantized_file.read_bytes()
    damaged.write_bytes(content.replace(b'\\"dim\\"', b'\\"dam\\"', 1))
    with pytest.raises(ValueError, match="holds no int8 network that can be read"):
        load_encoder(NAME, damaged)


def test_an_encoder_loses_nothing_against_itself(encoder: Encoder, photos: Photos) -> None:
    lost = loss(encoder, encoder, photos.images[:20], torch.arange(20) % 2 == 0)
    assert (round(lost.min_cosine, 5), round(lost.mean_cosine, 5), lost.recall_at_10) == (1, 1, 1)


def test_too_few_images_are_refused(encoder: CnnEncoder, photos: Photos) -> None:
    with pytest.raises(ValueError, match="3 images are too few"):
        quantize(encoder, photos.images[:3])


def test_the_same_images_make_the_same_file() -> None:
    """Of a small network: to calibrate that of the default encoder takes ten seconds each time."""
    reference = convolutional()
    calibration = noise(reference, MIN_IMAGES)
    assert quantize(reference, calibration) == quantize(reference, calibration)


@pytest.mark.slow
def test_a_calibrated_network_loses_what_the_documents_say(encoder: CnnEncoder, photos: Photos, tmp_path: Path) -> None:
    held_out = torch.arange(len(photos.images)) % 2 == 1
    calibration = photos.images[~held_out]
    file = tmp_path / "int8.safetensors"
    file.write_bytes(quantize(encoder, calibration))
    lost = loss(encoder, load_encoder(NAME, file), photos.images, held_out)
    assert lost.min_cosine >= 0.94
    assert lost.mean_cosine >= 0.98
    assert lost.recall_at_10 >= 0.85
