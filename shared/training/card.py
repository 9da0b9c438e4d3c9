"""The model card: what an encoder is, what it was made of, how good it is, and how to make it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.encoders.trained import TrainedEncoder

CARD = "MODEL_CARD.md"

_WHAT: Mapping[str, str] = {
    "rnn": "recurrent sweeps over the map of EfficientNet-Lite0, which is frozen and not part of the file",
    "cnn_head": "a projection of the vector of EfficientNet-Lite0, which is frozen and not part of the file",
    "gan": "a readout of the layers of a discriminator (64 x 64 pixels)",
    "bigan": "a readout of the layers of an encoder that learned to invert a generator (64 x 64 pixels)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What only the person who trains knows."""

    licence: str = "not said; state it before you pass the file on"
    """Of the pictures."""
    notes: str = ""


def write_card(folder: Path, described: TrainedEncoder, provenance: Provenance) -> None:
    """Write MODEL_CARD.md beside the encoder. Numbers are those of the pictures that were held out."""
    lines = [
        f"# `{described.family}`",
        "",
        f"This encoder is {_WHAT[described.family]}. `docs/families.md` explains it.",
        "",
        "## Use",
        "",
        "```console",
        f"$ export AFTERIMAGE_ENCODER={described.family} AFTERIMAGE_ENCODER_WEIGHTS=encoder.safetensors",
        "```",
        "",
        "## Made of",
        "",
        *_table({**described.data, "licence of the pictures": provenance.licence}),
        "",
        "## Made by",
        "",
        "```console",
        f"$ {described.command}",
        "```",
        "",
        *_table({"seed": described.seed, **described.architecture}),
        "",
        "## Quality",
        "",
        "On the pictures that were held out, which also decided which epoch was kept:",
        "",
        *_table({name: f"{value:.4f}" for name, value in described.quality.items()}),
        "",
        "## Limits",
        "",
        "It has learned from these pictures, and knows no others. Measure it on your own with `afterimage evaluate`",
        "before you use it, beside the plain CNN, which is `efficientnet_lite0`.",
    ]
    if provenance.notes:
        lines += ["", provenance.notes]
    (folder / CARD).write_text("\n".join(lines) + "\n")


def _table(values: Mapping[str, object]) -> list[str]:
    return ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in values.items())]
