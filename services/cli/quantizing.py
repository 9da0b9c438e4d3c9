"""From images on this machine to an int8 network and what it loses.

Importing this takes seconds, since it brings torch.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from services.cli.failures import Failure, Status
from services.cli.pictures import Picture
from shared.encoders.backends.quantization import Loss, loss, quantize
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.device import configure_threads
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.registry import load_encoder
from shared.encoders.settings import EncodingSettings
from shared.events.faults import PoisonInput
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.runtime.settings import from_environment

_HELD_OUT = 4
"""Every fourth image tells the loss, and is not calibrated on."""
_MAX_IMAGES = 400


class QuantizeSettings(EncodingSettings):
    """The encoder as the workers have it."""

    model_config = from_environment("AFTERIMAGE_")


def make(
    settings: QuantizeSettings,
    pictures: Iterable[Picture],
    target: Path,
    failed: Callable[[Picture, PoisonInput], None],
) -> Loss:
    """Write the int8 network, and return what it loses on the images that were held out. Takes a minute.

    Raises Failure, and OSError when the file cannot be written.
    """
    configure_threads(settings.threads)
    try:
        reference = load_encoder(
            settings.encoder,
            settings.encoder_weights,
            "cpu",
            weights_sha256=settings.encoder_weights_sha256,
            backend="torch",
        )
        if not isinstance(reference, CnnEncoder):
            raise Failure("this network is int8 already", Status.MISUSED)
        images = _decoded(pictures, reference.preprocessing, failed)
        held_out = torch.arange(len(images)) % _HELD_OUT == 0
        target.write_bytes(quantize(reference, images[~held_out]))
        return loss(reference, load_encoder(settings.encoder, target, "cpu"), images, held_out)
    except ValueError as error:
        raise Failure(str(error)) from error


def _decoded(
    pictures: Iterable[Picture], preprocessing: Preprocessing, failed: Callable[[Picture, PoisonInput], None]
) -> Tensor:
    limits, pixels = ImageLimits(), []
    for picture in pictures:
        try:
            image = decode_rgb(picture.read(limits.max_bytes), limits, preprocessing.decode_size)
        except PoisonInput as fault:
            failed(picture, fault)
            continue
        pixels.append(preprocessing.to_pixels(image))
        if len(pixels) == _MAX_IMAGES:
            break
    if len(pixels) < 4 * 11:
        raise Failure(f"{len(pixels)} images are too few; give 44 or more, of the kind that will be indexed")
    return torch.from_numpy(np.stack(pixels))
