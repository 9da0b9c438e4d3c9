"""Whether one way to compute an encoder gives what another gives, and how fast it is."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

from shared.encoders.encoder import Encoder
from shared.encoders.precision import MIN_COSINE

_PROBES = 4
_TIMED_BATCH = 8
_TIMED_RUNS = 5


class EncoderDiffers(ValueError):
    """An encoder gives vectors that are not those of the reference."""


def check_agreement(reference: Encoder, encoder: Encoder) -> None:
    """Compare the vectors of an image alone and of a batch with those of the reference. Raises EncoderDiffers."""
    images = noise(encoder, _PROBES)
    expected = reference.encode(images)
    found = torch.cat([encoder.encode(images[:1]), encoder.encode(images[1:])])
    cosine = nn.functional.cosine_similarity(expected, found).min().item()
    lowest = MIN_COSINE[encoder.number_format]
    if not cosine >= lowest:  # a cosine that is no number is refused too
        raise EncoderDiffers(
            f"the vectors of {encoder.backend} in {encoder.number_format} for {encoder.name} differ from torch's in "
            f"f32: their cosine is {cosine:.6f}, and at least {lowest} is required"
        )


def images_per_s(encoder: Encoder, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how many images the encoder takes in a second, the median of a few batches after a first one."""
    images = noise(encoder, _TIMED_BATCH)
    encoder.encode(images).cpu()  # which waits for the device
    rates = []
    for _ in range(_TIMED_RUNS):
        started = clock()
        encoder.encode(images).cpu()
        rates.append(_TIMED_BATCH / (clock() - started))
    return median(rates)


def noise(encoder: Encoder, count: int) -> Tensor:
    """Return images in which each pixel differs, and which are the same at each start."""
    shape = (count, 3, encoder.input_size, encoder.input_size)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return pixels.to(encoder.device)
