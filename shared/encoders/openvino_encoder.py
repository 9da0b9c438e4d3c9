"""An encoder on the CPU by OpenVINO, which runs the same network several times as fast as torch."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from shared.encoders.cnn import CnnEncoder
from shared.encoders.openvino_conversion import OpenVinoNetwork
from shared.encoders.openvino_package import OpenVinoUnavailable, import_openvino

MIN_COSINE = 0.9999
"""Between a vector and what torch makes of the same image: below this, a conversion is not believed."""

_PROBES = 4

Features = npt.NDArray[np.float32]
"""(batch, dim)"""


class OpenVinoEncoder:
    """Runs the network of a CnnEncoder in float32, with as many threads as torch has.

    It is compiled twice. A single image has all threads to itself, so that a query is answered
    soon. Of a batch several images are under way at once, each with its share of the threads:
    none waits for another, and memory does not grow with the batch.
    """

    backend = "openvino"

    def __init__(self, reference: CnnEncoder) -> None:
        """Convert and compile the network, and compare it with the reference, which is not kept. Takes seconds.

        Raises OpenVinoUnavailable.
        """
        if reference.device.type != "cpu":
            raise OpenVinoUnavailable(f"OpenVINO computes on the CPU here, not on {reference.device}")
        self.name = reference.name
        self.weights_sha256 = reference.weights_sha256
        self.preprocessing = reference.preprocessing
        self.input_size = reference.input_size
        self.device = reference.device
        self.dim = reference.dim
        probes = _noise(self.input_size)
        network = OpenVinoNetwork(reference.network, probes[:1])
        threads = torch.get_num_threads()
        self._single = network.compile("LATENCY", threads).create_infer_request()
        streams = network.compile("THROUGHPUT", threads)
        jobs = 2 * streams.get_property("NUM_STREAMS")  # for each stream, one that runs and one that waits
        self._several = import_openvino().AsyncInferQueue(streams, jobs)
        self._several.set_callback(_keep)
        self._compare_with(reference, probes)

    def encode(self, images: Tensor) -> Tensor:
        """See Encoder.encode."""
        pixels = images.contiguous().numpy()
        features = self._alone(pixels) if len(pixels) == 1 else self._side_by_side(pixels)
        return nn.functional.normalize(torch.from_numpy(features))

    def _alone(self, pixels: npt.NDArray[np.uint8]) -> Features:
        self._single.infer([pixels])
        return np.array(self._single.get_output_tensor().data)

    def _side_by_side(self, pixels: npt.NDArray[np.uint8]) -> Features:
        features = np.empty((len(pixels), self.dim), dtype=np.float32)
        for row in range(len(pixels)):
            self._several.start_async([pixels[row : row + 1]], userdata=features[row : row + 1])
        self._several.wait_all()
        return features

    def _compare_with(self, reference: CnnEncoder, images: Tensor) -> None:
        expected = reference.encode(images)
        try:
            found = torch.cat([self.encode(images[:1]), self.encode(images[1:])])
        except RuntimeError as error:
            raise OpenVinoUnavailable(f"OpenVINO cannot run {self.name}: {error}") from error
        cosine = nn.functional.cosine_similarity(expected, found).min().item()
        if not cosine >= MIN_COSINE:  # a cosine that is no number is refused too
            raise OpenVinoUnavailable(
                f"OpenVINO's vectors for {self.name} differ from torch's: their cosine is {cosine:.6f}, "
                f"and at least {MIN_COSINE} is required"
            )


def _keep(request: Any, row: Features) -> None:  # noqa: ANN401 - an openvino.InferRequest, which has no types
    row[:] = request.get_output_tensor().data


def _noise(side: int) -> Tensor:
    """Images in which each pixel differs, and which are the same at each start."""
    return torch.randint(
        0, 256, (_PROBES, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
