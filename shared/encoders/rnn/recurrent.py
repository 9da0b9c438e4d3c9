"""The encoder `rnn`: the default CNN, frozen, and a recurrent head that was trained on its maps."""

from pathlib import Path

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.cnn.headed import headed_backbone
from shared.encoders.rnn.head import RecurrentArchitecture, RecurrentHead

NAME = "rnn"

PACKAGED_SHA256 = "e6077ee0e9b05fe9dfafd781871edc61cd8e1cfab4367d27a2e1659464d469f0"
"""Of the weights that come with Afterimage; `make train-weights` makes them, and MODEL_CARD.md describes them."""


def packaged_weights() -> Path:
    """Return the file that comes with Afterimage: a head that was trained on drawings in the public domain."""
    return Path(__file__).with_name("weights") / "rnn.safetensors"


def recurrent_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    return headed_backbone(NAME, RecurrentArchitecture(), RecurrentHead, weights)
