"""The encoder `rnn`: the default CNN, frozen, and a recurrent head that was trained on its maps."""

from pathlib import Path

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.cnn.headed import headed_backbone
from shared.encoders.rnn.head import RecurrentArchitecture, RecurrentHead

NAME = "rnn"


def recurrent_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    return headed_backbone(NAME, RecurrentArchitecture(), RecurrentHead, weights)
