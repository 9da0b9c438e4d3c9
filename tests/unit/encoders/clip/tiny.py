"""A CLIP model of a few thousand weights, which nobody has trained, as open_clip would publish it."""

import json
from pathlib import Path
from typing import Any

import open_clip
import safetensors.torch
import torch

NAME = "clip:tiny"
SIDE = 32
CONFIG: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def tiny_clip(folder: Path) -> Path:
    """Make the model known to open_clip, and return the file with its weights."""
    register("tiny", CONFIG, folder)
    torch.manual_seed(1)
    path = folder / "open_clip_model.safetensors"
    safetensors.torch.save_file(open_clip.CLIP(**open_clip.get_model_config("tiny")).state_dict(), path)
    return path


def register(name: str, config: dict[str, Any], folder: Path) -> None:
    """Make a model known to open_clip by that name."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config))
    open_clip.add_model_config(path)
