"""What can be used as an encoder, and what it would be like, told without its weights."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import timm
import torchvision

from shared.encoders.clip.models import clip_models
from shared.encoders.cnn.encoder import Backbone
from shared.encoders.registry import build_backbone
from shared.encoders.weightless import Weightless


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """An encoder before it has weights."""

    encoder: str
    """The name that `load_encoder` takes."""
    dim: int
    """The length of a feature vector."""
    input_size: int
    """The height and the width of the square that it sees, in pixels."""
    parameters: int
    """Without the classifier, which is not used."""


def describe(encoder: str, weights: Path | None = None) -> Architecture:
    """Tell what an encoder is like. Takes some hundredths of a second, and neither reads nor allocates weights.

    weights: the file that would be loaded, since its name may tell the preprocessing.
    Raises ValueError with the reason for which it cannot be used.
    """
    with Weightless():
        return architecture(encoder, build_backbone(encoder, weights))


def architecture(encoder: str, backbone: Backbone) -> Architecture:
    return Architecture(
        encoder=encoder,
        dim=backbone.dim,
        input_size=backbone.preprocessing.crop,
        parameters=sum(parameter.numel() for parameter in backbone.module.parameters()),
    )


def find_encoders(pattern: str) -> list[str]:
    """Name the models of timm, of torchvision and, where it is installed, of open_clip that match, usable or not.

    pattern: a part of the name, or all of it with the wildcards `*` and `?`, with or without its
    library. timm has one architecture with weights of several trainings, which want their images
    in different sizes: `resnet50.a1_in1k`. Those are named where the pattern has a full stop.
    """
    models = [f"timm:{model}" for model in timm.list_models(pretrained="." in pattern)]
    models += [f"torchvision:{model}" for model in torchvision.models.list_models(module=torchvision.models)]
    models += [f"clip:{model}" for model in clip_models()]
    if not set("*?") & set(pattern):
        pattern = f"*{pattern}*"
    return [name for name in models if fnmatchcase(name, pattern) or fnmatchcase(name.partition(":")[2], pattern)]
