"""Networks that are made in no time."""

import torch
from torch import nn

from shared.encoders.cnn.encoder import Backbone, CnnEncoder
from shared.encoders.weights import random_weights
from tests.unit.encoders.fakes import MeanColour


def convolutional() -> CnnEncoder:
    """A network of operations that autocast computes in half precision."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 3))
    backbone = Backbone(module=module, dim=3, preprocessing=MeanColour.preprocessing, classifier=())
    return CnnEncoder("convolutional", backbone, random_weights(module), torch.device("cpu"))
