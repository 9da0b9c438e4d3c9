import pytest
import torch

from shared.encoders.backends.openvino_conversion import OpenVinoNetwork
from shared.encoders.backends.openvino_encoder import OpenVinoEncoder, converted
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.device import configure_threads
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder
from tests.unit.encoders.photos import Photos, decoded_photos


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two spinning OpenMP threads on busy cores are many times slower than one."""
    configure_threads(1)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default encoder, with its real weights, as torch runs it: the reference."""
    return load_encoder("efficientnet_lite0", device="cpu", backend="torch")


@pytest.fixture(scope="session")
def network(encoder: CnnEncoder) -> OpenVinoNetwork:
    """The default encoder as OpenVINO takes it."""
    return converted(encoder)


@pytest.fixture(scope="session")
def openvino_encoder(encoder: CnnEncoder, network: OpenVinoNetwork) -> OpenVinoEncoder:
    return OpenVinoEncoder(encoder, network)


@pytest.fixture(scope="session")
def photos(encoder: Encoder) -> Photos:
    """The sample photos as the default encoder takes them."""
    return decoded_photos(encoder.preprocessing)


@pytest.fixture(scope="session")
def vectors(encoder: Encoder, photos: Photos) -> torch.Tensor:
    return encoder.encode(photos.images)
