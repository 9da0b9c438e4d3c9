"""Files of encoders as `afterimage train` writes them, with weights that nothing was learned for."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from shared.encoders.registry import build_backbone
from shared.encoders.trained import TrainedEncoder, write_trained


def random_file(path: Path, family: str, architecture: Any) -> Path:
    """Write random weights for an encoder of that architecture, all of them other than zero."""
    write_trained(path, {}, TrainedEncoder(family=family, architecture=asdict(architecture)))  # to build it from
    module = build_backbone(family, path).module
    module = getattr(module, "head", module)
    generator = torch.Generator().manual_seed(5)
    for parameter in module.parameters():
        parameter.data.normal_(std=0.1, generator=generator)
    prefix = "head." if family in {"rnn", "cnn_head"} else ""
    write_trained(
        path, module.state_dict(prefix=prefix), TrainedEncoder(family=family, architecture=asdict(architecture))
    )
    return path
