"""Which encoders a weights file is for: guessed by the names around it, and told by the shapes in it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import timm
import torchvision

from shared.encoders.catalogue import Architecture, architecture
from shared.encoders.cnn import efficientnet_lite
from shared.encoders.registry import build_backbone
from shared.encoders.trained import read_description
from shared.encoders.weightless import Weightless
from shared.encoders.weights import Shapes, misfits, read_shapes, shapes_of, without

_PARENTS = 3
"""In the cache of the Hugging Face hub a file lies so deep below the folder that is named for its model."""


class WeightsFile:
    """A weights file, read as far as the shapes in it.

    The shapes do not tell between trainings of one architecture, nor between libraries, which may
    want their images prepared in different ways.
    """

    def __init__(self, path: Path) -> None:
        """Raises ValueError when the file does not hold tensors, and nothing else."""
        self.path = path
        self._shapes = read_shapes(path)

    def recognise(self) -> list[Architecture]:
        """Name the encoders that can load it, the likeliest first; none when the names around it say nothing.

        Where it is called as it was published, the answer is that one alone.
        """
        for guesses in (_published(self.path, self._shapes), _named(self.path)):
            if found := [fit for guess in dict.fromkeys(guesses) if (fit := self.fit(guess)) is not None]:
                return found
        return []

    def fit(self, encoder: str) -> Architecture | None:
        """Return what the encoder would be like with these weights; None when it cannot take them."""
        try:
            with Weightless():
                backbone = build_backbone(encoder, self.path)
            named = {backbone.rename(key): shape for key, shape in self._shapes.items()}
            given = without(backbone.classifier, {**shapes_of(backbone.borrowed()), **named})
        except ValueError:  # there is no such encoder, it cannot be used, or it does not know these names
            return None
        if misfits(shapes_of(backbone.module.state_dict()), given):
            return None
        return architecture(encoder, backbone)


def _published(path: Path, shapes: Shapes) -> Iterator[str]:
    """By what the file says of itself, its whole name or a folder's, or the configuration that timm saves beside it."""
    with suppress(ValueError):
        yield read_description(path).family
    if "_conv_stem.weight" in shapes:  # only its own weights have their names from that library
        yield efficientnet_lite.NAME
    model = _configuration(path.parent / "config.json")
    if model:
        yield f"timm:{model}"
    for name in (path.stem, *(parent.name for parent in list(path.parents)[:_PARENTS])):
        if name in _published_files():
            yield _published_files()[name]
        elif "." in name:
            yield f"timm:{name.rpartition('--')[2]}"


def _named(path: Path) -> list[str]:
    """By the architectures whose names are a part of the file's or its folder's, the longest first."""
    places = [name.lower().replace("-", "_") for name in (path.stem, path.parent.name)]
    timms = {model: f"timm:{model}" for model in timm.list_models()}
    torchvisions = {
        model: f"torchvision:{model}" for model in torchvision.models.list_models(module=torchvision.models)
    }
    found = [
        (model, encoder)
        for models in (timms, torchvisions)
        for model, encoder in models.items()
        if any(model in place for place in places)
    ]
    return [encoder for _, encoder in sorted(found, key=lambda pair: -len(pair[0]))]


def _configuration(path: Path) -> str | None:
    try:
        content = json.loads(path.read_bytes())
        model, tag = content["architecture"], content["pretrained_cfg"]["tag"]
    except (OSError, ValueError, LookupError, TypeError):  # of something else, or none
        return None
    return f"{model}.{tag}" if tag else str(model)


@cache
def _published_files() -> Mapping[str, str]:
    """The encoders by the names of the files that their weights are published in, without the suffix."""
    tagged = timm.list_models(pretrained=True)
    urls = {f"timm:{model}": timm.get_pretrained_cfg_value(model, "url") for model in tagged}
    files = {Path(url).stem: encoder for encoder, url in urls.items() if url}
    for model in torchvision.models.list_models(module=torchvision.models):
        for weights in torchvision.models.get_model_weights(model):
            files[Path(weights.url).stem] = f"torchvision:{model}"
    return files
