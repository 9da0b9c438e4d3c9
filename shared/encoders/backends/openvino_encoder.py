"""An encoder on the CPU by OpenVINO, which runs the same network several times as fast as torch."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from shared.encoders.backends.openvino_conversion import OpenVinoNetwork
from shared.encoders.backends.openvino_package import OpenVinoUnavailable, import_openvino
from shared.encoders.backends.probes import EncoderDiffers, check_agreement, noise
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Described, texts_of
from shared.encoders.precision import NumberFormat

Features = npt.NDArray[np.float32]
"""(batch, dim)"""


def converted(reference: CnnEncoder) -> OpenVinoNetwork:
    """Return the network of an encoder in OpenVINO's form. Takes seconds. Raises OpenVinoUnavailable."""
    if reference.device.type != "cpu":
        raise OpenVinoUnavailable(f"OpenVINO computes on the CPU here, not on {reference.device}")
    return OpenVinoNetwork(reference.network, noise(reference, 1))


def agreeing(reference: CnnEncoder, network: OpenVinoNetwork, number_format: NumberFormat = "f32") -> "OpenVinoEncoder":
    """Compile the network that `converted` made of the reference, and compare the two. Takes seconds.

    Raises OpenVinoUnavailable.
    """
    encoder = OpenVinoEncoder(reference, network, number_format)
    try:
        check_agreement(reference, encoder)
    except (EncoderDiffers, RuntimeError) as error:
        raise OpenVinoUnavailable(f"OpenVINO cannot run {encoder.name}: {error}") from error
    return encoder


class OpenVinoEncoder:
    """Runs the network of another encoder, with as many threads as torch has.

    It is compiled twice. A single image has all threads to itself, so that a query is answered
    soon. Of a batch several images are under way at once, each with its share of the threads:
    none waits for another, and memory does not grow with the batch.
    """

    backend = "openvino"

    def __init__(self, reference: Described, network: OpenVinoNetwork, number_format: NumberFormat = "f32") -> None:
        """Compile the network of the encoder that is described. Takes a second. Raises OpenVinoUnavailable."""
        self.name = reference.name
        self.weights_sha256 = reference.weights_sha256
        self.preprocessing = reference.preprocessing
        self.precision = reference.precision
        self.number_format = number_format
        self.input_size = reference.input_size
        self.device = reference.device
        self.dim = reference.dim
        self.texts = texts_of(reference)  # few come in a second: torch will do
        threads = torch.get_num_threads()
        self._single = network.compile("LATENCY", threads, number_format).create_infer_request()
        streams = network.compile("THROUGHPUT", threads, number_format)
        jobs = 2 * streams.get_property("NUM_STREAMS")  # for each stream, one that runs and one that waits
        self._several = import_openvino().AsyncInferQueue(streams, jobs)
        self._several.set_callback(_keep)

    def encode(self, images: Tensor) -> Tensor:
        """See Encoder.encode."""
        return nn.functional.normalize(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Return the features as the network gives them, float32 (batch, dim)."""
        pixels = images.contiguous().numpy()
        return torch.from_numpy(self._alone(pixels) if len(pixels) == 1 else self._side_by_side(pixels))

    def _alone(self, pixels: npt.NDArray[np.uint8]) -> Features:
        self._single.infer([pixels])
        return np.array(self._single.get_output_tensor().data)

    def _side_by_side(self, pixels: npt.NDArray[np.uint8]) -> Features:
        features = np.empty((len(pixels), self.dim), dtype=np.float32)
        for row in range(len(pixels)):
            self._several.start_async([pixels[row : row + 1]], userdata=features[row : row + 1])
        self._several.wait_all()
        return features


def _keep(request: Any, row: Features) -> None:  # noqa: ANN401 - an openvino.InferRequest, which has no types
    row[:] = request.get_output_tensor().data
