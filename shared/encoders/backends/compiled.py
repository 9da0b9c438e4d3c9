"""The network of an encoder, compiled by torch: for batches of two sizes, since each costs a minute at start."""

import copy
import os
import shlex
import shutil
import time

import torch
from torch import Tensor, nn

from shared.encoders.backends.probes import EncoderDiffers, check_agreement
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Encoder
from shared.runtime.logging import get_logger

log = get_logger(__name__)


class CompilationUnavailable(ValueError):
    """The network cannot be compiled here, or computes something else when it is; torch can run it as it is."""


def compiled(encoder: Encoder, max_batch: int) -> CnnEncoder:
    """Return the encoder with its network compiled for one image and for `max_batch`, in the format that it has.

    Takes minutes. Raises CompilationUnavailable.
    """
    if not isinstance(encoder, CnnEncoder):
        raise CompilationUnavailable(f"torch.compile is for the backend torch, not for {encoder.backend}")
    _check_compiler()
    started = time.perf_counter()
    candidate = copy.copy(encoder)
    candidate.network = nn.Sequential(InTwoSizes(encoder.network, max_batch))
    try:
        check_agreement(encoder.computing_in("f32"), candidate)
    except (EncoderDiffers, RuntimeError) as error:  # what torch's compilers raise is a RuntimeError
        raise CompilationUnavailable(f"torch.compile cannot be used for {encoder.name}: {error}") from error
    log.info(
        "encoder_compiled",
        encoder=encoder.name,
        number_format=encoder.number_format,
        max_batch=max_batch,
        seconds=round(time.perf_counter() - started, 1),
    )
    return candidate


class InTwoSizes(nn.Module):
    """Runs a compiled network on one image or on `max_batch`: fewer are filled up, and more are split."""

    def __init__(self, network: nn.Module, max_batch: int) -> None:
        super().__init__()
        self._network = torch.compile(network, dynamic=False)
        self._max_batch = max_batch

    def forward(self, images: Tensor) -> Tensor:
        """Return what the network does. To be called in inference mode, since a change of mode compiles again."""
        return torch.cat([self._filled_up(part) for part in torch.split(images, self._max_batch)])

    def _filled_up(self, images: Tensor) -> Tensor:
        """Copy the images even where none are missing: torch compiles anew for those not made in inference mode."""
        count = len(images)
        batch = images.new_zeros((1 if count == 1 else self._max_batch, *images.shape[1:]))
        batch[:count] = images
        features: Tensor = self._network(batch)
        return features[:count]


def _check_compiler() -> None:
    """Look for the compiler where torch does. On CUDA, Triton needs the C compiler that comes with it."""
    command = os.environ.get("CXX", "g++")
    program = next(iter(shlex.split(command)), "")
    if shutil.which(program) is None:
        raise CompilationUnavailable(
            f"torch.compile needs a C++ compiler, and there is no {command!r} here; "
            "install g++ and python3-dev, or set CXX to another compiler"
        )
