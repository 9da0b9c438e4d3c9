"""The encoders by name."""

from collections.abc import Callable
from pathlib import Path

import torch

from shared.encoders.backends.backend import Backend, on_backend
from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.backends.quantized import is_quantized, read_quantized
from shared.encoders.cnn import efficientnet_lite, projection
from shared.encoders.cnn.encoder import Backbone, CnnEncoder
from shared.encoders.device import choose_device, forbid_tf32
from shared.encoders.encoder import Encoder
from shared.encoders.fusion import FusedEncoder
from shared.encoders.gan import adversarial
from shared.encoders.precision import Precision
from shared.encoders.rnn import recurrent
from shared.encoders.spec import EncoderSpec, Fusion, parse_spec
from shared.encoders.weights import random_weights, read_weights

PACKAGED: dict[str, Callable[[], tuple[Path, str]]] = {
    efficientnet_lite.NAME: lambda: (efficientnet_lite.packaged_weights(), efficientnet_lite.PACKAGED_SHA256),
    recurrent.NAME: lambda: (recurrent.packaged_weights(), recurrent.PACKAGED_SHA256),
    adversarial.GAN: lambda: (adversarial.packaged_weights(adversarial.GAN), adversarial.GAN_SHA256),
    adversarial.BIGAN: lambda: (adversarial.packaged_weights(adversarial.BIGAN), adversarial.BIGAN_SHA256),
}
"""The encoders whose weights are installed: the file, and the SHA-256 that it must have."""

_TRAINED: dict[str, Callable[[Path | None], Backbone]] = {
    recurrent.NAME: recurrent.recurrent_backbone,
    adversarial.GAN: adversarial.gan_backbone,
    adversarial.BIGAN: adversarial.bigan_backbone,
    projection.NAME: projection.projection_backbone,
}
"""The encoders of `afterimage train`, whose files tell their architecture."""


def load_encoder(
    name: str,
    weights: Path | None = None,
    device: str = "auto",
    *,
    weights_sha256: str | None = None,
    backend: Backend = "auto",
    precision: Precision = "exact",
    random_seed: int | None = None,
) -> Encoder:
    """Return an encoder that is ready to use.

    name: `efficientnet_lite0`, `rnn`, `gan`, `bigan`, `cnn_head`, `timm:MODEL`, `torchvision:MODEL` or `clip:MODEL`,
    with options such as `?pool=gem`, or several of these, fused: see `spec.py` and docs/families.md.
    weights: a .safetensors file, also one of `afterimage quantize` or `afterimage train`, or a checkpoint of tensors.
    Weights of `efficientnet_lite0`, `rnn`, `gan` and `bigan` are installed, and nothing is ever downloaded.
    weights_sha256: what the file must have; the weights that are installed have theirs in the code.
    device: see `choose_device`; `auto` is the CPU where the backend computes on no other.
    precision: see `Precision`; what is fastest is measured, which takes a second.
    random_seed: use untrained weights, whose features mean nothing (for tests).
    Raises ValueError with a sentence that says what to change; it is OpenVinoUnavailable
    when that is the backend.
    """
    spec = parse_spec(name)
    if isinstance(spec, Fusion):
        if weights is not None or weights_sha256 is not None:
            raise ValueError(
                f"the encoder {name!r} has several members: give a file to one of them, as A?weights=FILE+B"
            )
        members = [
            _load(member, member.weights, device, None, backend=backend, precision=precision, random_seed=random_seed)
            for member in spec.members
        ]
        return FusedEncoder(str(spec), members, spec.shares)
    return _load(
        spec,
        weights or spec.weights,
        device,
        weights_sha256,
        backend=backend,
        precision=precision,
        random_seed=random_seed,
    )


def _load(
    spec: EncoderSpec,
    weights: Path | None,
    device: str,
    weights_sha256: str | None,
    *,
    backend: Backend,
    precision: Precision,
    random_seed: int | None,
) -> Encoder:
    name = spec.base
    _check_name(name)
    if name in PACKAGED and weights is None and random_seed is None:
        weights, packaged_sha256 = PACKAGED[name]()
        weights_sha256 = weights_sha256 or packaged_sha256
    if (weights is None) == (random_seed is None):
        raise ValueError(f"the encoder {name!r} needs a file with its trained weights; name one that is on this host")
    chosen_device = choose_device("cpu" if backend == "openvino" and device == "auto" else device)
    if weights is not None and is_quantized(weights):
        if spec.descriptor is not None:
            raise ValueError(f"the file {weights} holds an int8 network of one vector, which {spec} cannot pool anew")
        return _quantized(name, weights, weights_sha256, chosen_device, backend, precision)
    if precision == "exact":
        forbid_tf32()
    if random_seed is not None:
        torch.manual_seed(random_seed)
    backbone = build_backbone(name, weights)
    found = random_weights(backbone.module) if weights is None else read_weights(weights, sha256=weights_sha256)
    return on_backend(backend, CnnEncoder(str(spec), backbone, found, chosen_device, precision, spec.descriptor))


def _quantized(
    name: str, weights: Path, sha256: str | None, device: torch.device, backend: Backend, precision: Precision
) -> Encoder:
    """Return the encoder that `afterimage quantize` has made. Raises ValueError."""
    found = read_quantized(weights, sha256=sha256)
    if found.name != name:
        raise ValueError(f"the file {weights} holds a network of {found.name!r}, and not of {name!r}")
    if backend == "torch" or device.type != "cpu":
        raise ValueError(f"the file {weights} holds an int8 network, which only OpenVINO runs, and on a CPU")
    if precision != "exact":
        raise ValueError(f"the file {weights} holds an int8 network, made for the precision exact")
    return OpenVinoEncoder(found, found.network, "i8")


def build_backbone(name: str, weights: Path | None = None) -> Backbone:
    """Return the untrained network of an encoder; the name of the weights file may tell its preprocessing.

    Raises ValueError with a sentence that says what to change.
    """
    _check_name(name)
    library, _, model = name.partition(":")
    # Both bring all their models and half of torch's compiler: seconds, for what the default encoder does without.
    if library == "timm":
        from shared.encoders.cnn.timm_models import timm_backbone  # noqa: PLC0415

        return timm_backbone(model)
    if library == "torchvision":
        from shared.encoders.cnn.torchvision_models import torchvision_backbone  # noqa: PLC0415

        return torchvision_backbone(model, weights)
    if library == "clip":
        from shared.encoders.clip.models import clip_backbone  # noqa: PLC0415

        return clip_backbone(model, weights)
    if name in _TRAINED:
        return _TRAINED[name](weights)
    return efficientnet_lite.efficientnet_lite0()


def _check_name(name: str) -> None:
    known = (efficientnet_lite.NAME, *_TRAINED)
    if name not in known and not name.startswith(("timm:", "torchvision:", "clip:")):
        raise ValueError(
            f"there is no encoder {name!r}; use {', '.join(known)}, timm:MODEL, torchvision:MODEL or clip:MODEL"
        )
