"""Spectral normalisation (Miyato et al. 2018), and the weights that it comes to."""

from typing import Any

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def normalised(network: nn.Module) -> Any:  # noqa: ANN401 - the same network
    """Hold each layer by the largest singular value of its weights."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)
    return network


def denormalised(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights and biases of the layers as the normalisation gives them, by their plain names."""
    network.eval()
    found = {}
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            found[f"{name}.weight"] = layer.weight.detach().cpu().clone()
            if layer.bias is not None:
                found[f"{name}.bias"] = layer.bias.detach().cpu().clone()
    return found
