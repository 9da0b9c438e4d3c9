"""Any CLIP model that open_clip knows, with weights from a local file."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from torch import Tensor, nn

from shared.encoders.clip.texts import ClipTexts, TextTower
from shared.encoders.cnn.encoder import Backbone
from shared.encoders.pixels.preprocessing import Interpolation, Preprocessing

RGB = tuple[float, float, float]

_CONFIGURATION = "open_clip_config.json"
"""What is published beside the weights on the Hugging Face hub, and tells their preprocessing."""
_FETCHED = ("hf_tokenizer_name", "hf_model_name")
"""What a text side has that open_clip would have to download."""
_PREPARATION = ("mean", "std", "interpolation", "resize_mode")


def clip_models() -> list[str]:
    """Name the models that open_clip knows, usable or not; none without open_clip."""
    return list(_import_open_clip("MODEL").list_models()) if find_spec("open_clip") else []


class ClipImages(nn.Module):
    """Both towers of a model, of which images go through one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 (batch, 3, side, side) to (batch, dim), not of unit length."""
        vectors: Tensor = self.model.get_submodule("visual")(images)
        return vectors


def clip_backbone(model: str, weights_file: Path | None) -> Backbone:
    """Return the model, untrained, with its text side, and the preprocessing that its weights were published with.

    model: as open_clip names it, such as `ViT-B-32`; those of OpenAI's own weights end in `-quickgelu`. Where weights
    for different preprocessings were published, `open_clip_config.json` beside the file decides.
    Raises ValueError for an unknown name, for a model that cannot be used here, or without open_clip.
    """
    open_clip = _import_open_clip(model)
    if model not in open_clip.list_models():  # names with hf-hub: would be fetched
        raise ValueError(f"open_clip has no model {model!r}; `open_clip.list_models()` names them all")
    config: dict[str, Any] = open_clip.get_model_config(model)
    text = config["text_cfg"]
    if fetched := next((text[key] for key in _FETCHED if text.get(key)), None):
        raise ValueError(
            f"clip:{model} reads texts by {fetched}, which open_clip would have to download; "
            "use a model with CLIP's own tokenizer, such as clip:ViT-B-32"
        )
    if "multimodal_cfg" in config:
        raise ValueError(f"clip:{model} is a model that writes captions; use one of two towers, such as clip:ViT-B-32")
    if "timm_model_name" in config["vision_cfg"]:
        config["vision_cfg"]["timm_model_pretrained"] = False  # or timm would download them
    two_towers = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
    module = two_towers(**config)
    return Backbone(
        module=ClipImages(module),
        dim=config["embed_dim"],
        preprocessing=_preprocessing(open_clip, model, config["vision_cfg"]["image_size"], weights_file),
        classifier=(),
        rename=lambda name: f"model.{name.removeprefix('model.')}",
        texts=ClipTexts(cast("TextTower", module), text.get("context_length", 77), text.get("tokenizer_kwargs", {})),
    )


def _preprocessing(open_clip: ModuleType, model: str, side: int, weights_file: Path | None) -> Preprocessing:
    found = _prepared(open_clip, model, weights_file)
    if found["resize_mode"] != "shortest":
        raise ValueError(
            f"clip:{model} wants images brought to a square by {found['resize_mode']!r}; "
            "only models that take the central square can be used"
        )
    return Preprocessing(
        crop=side,
        resize=side,
        interpolation=cast("Interpolation", found["interpolation"]),
        mean=cast("RGB", tuple(255 * value for value in found["mean"])),
        std=cast("RGB", tuple(255 * value for value in found["std"])),
    )


def _prepared(open_clip: ModuleType, model: str, weights_file: Path | None) -> Mapping[str, Any]:
    """Return mean, std, interpolation and resize_mode. Raises ValueError where that is not known."""
    default = {key: getattr(open_clip.transform.PreprocessCfg(), key) for key in _PREPARATION}
    beside = weights_file.parent / _CONFIGURATION if weights_file is not None else None
    if beside is not None and beside.is_file():
        try:
            said = json.loads(beside.read_bytes()).get("preprocess_cfg", {})
            return default | {key: said[key] for key in _PREPARATION if key in said}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ValueError(f"the file {beside} cannot be read as open_clip writes it: {error}") from error
    tags = open_clip.list_pretrained_tags_by_model(model)
    published = [open_clip.get_pretrained_cfg(model, tag) for tag in tags]
    known = [{key: tag.get(key, default[key]) for key in _PREPARATION} for tag in published] or [default]
    if weights_file is not None and any(other != known[0] for other in known):
        raise ValueError(
            f"weights of clip:{model} were published for different preprocessings; put {_CONFIGURATION}, "
            f"which is published with them, into the folder {weights_file.parent}"
        )
    return known[0]


def _import_open_clip(model: str) -> ModuleType:
    try:
        import open_clip  # noqa: PLC0415 - optional, and it takes seconds
    except ImportError as error:
        raise ValueError(
            f"the encoder clip:{model} needs open_clip, which cannot be imported ({error}); install afterimage[clip]"
        ) from error
    module: ModuleType = open_clip
    return module
