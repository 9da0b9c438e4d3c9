"""Making an int8 network of an encoder, and measuring what it loses."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from torch import Tensor, nn

from shared.encoders.backends.openvino_encoder import converted
from shared.encoders.backends.openvino_package import OpenVinoUnavailable, import_openvino
from shared.encoders.backends.quantized import pack
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Encoder

MIN_IMAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """How the vectors of an encoder differ from those of its reference for the same images."""

    min_cosine: float
    mean_cosine: float
    recall_at_10: float
    """Of the ten nearest others by the reference's vectors, how many are still among the ten nearest."""


def quantize(reference: CnnEncoder, images: Tensor) -> bytes:
    """Return the file of the int8 network, calibrated on images: uint8 (count, 3, side, side). Takes a minute.

    The same images, versions and processor give the same bytes. Raises OpenVinoUnavailable, ValueError.
    """
    if len(images) < MIN_IMAGES:
        raise ValueError(f"{len(images)} images are too few to calibrate on; use {MIN_IMAGES} or more")
    network = converted(reference)
    nncf = _import_nncf()
    rows = [images[row : row + 1].numpy() for row in range(len(images))]
    model = nncf.quantize(network.model, nncf.Dataset(rows), subset_size=len(rows), fast_bias_correction=False)
    model.set_friendly_name(reference.name)
    for place, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{place}")  # else it counts what the process did
    with TemporaryDirectory() as folder:
        file = Path(folder, "network.xml")
        import_openvino().save_model(model, file, compress_to_fp16=False)
        return pack(reference, file.read_bytes(), file.with_suffix(".bin").read_bytes())


def loss(reference: Encoder, encoder: Encoder, images: Tensor, held_out: Tensor) -> Loss:
    """Compare two encoders on images that neither was calibrated on, searched among all of the images.

    held_out: bool, (count,). There must be many more than ten images, or else any ten are the nearest.
    """
    expected, found = reference.encode(images), encoder.encode(images)
    cosine = nn.functional.cosine_similarity(expected, found)[held_out]
    wanted, kept = _ten_nearest(expected, held_out), _ten_nearest(found, held_out)
    shared = sum(len(set(a) & set(b)) for a, b in zip(wanted, kept, strict=True))
    return Loss(
        min_cosine=cosine.min().item(), mean_cosine=cosine.mean().item(), recall_at_10=shared / (10 * len(wanted))
    )


def _ten_nearest(vectors: Tensor, queries: Tensor) -> Sequence[Sequence[int]]:
    similarity = (vectors @ vectors.T).fill_diagonal_(-2)
    nearest: Sequence[Sequence[int]] = similarity[queries].topk(10).indices.tolist()
    return nearest


def _import_nncf() -> ModuleType:
    import_openvino()  # first: it keeps telemetry out
    try:
        import nncf  # noqa: PLC0415 - optional, and it takes seconds
    except ImportError as error:
        raise OpenVinoUnavailable(f"nncf cannot be imported ({error}); install afterimage[int8]") from error
    logging.getLogger("nncf").setLevel(logging.WARNING)
    module: ModuleType = nncf
    return module
