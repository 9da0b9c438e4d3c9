"""The maps inside of a network, by the names of its layers."""

from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn


class MapOf(nn.Module):
    """Gives what one layer of a network gives, as (batch, channels, height, width) or (batch, tokens, channels).

    The rest of the network runs all the same under torch; OpenVINO leaves out what nobody needs.
    """

    def __init__(self, network: nn.Module, layer: str) -> None:
        """Raises ValueError for a layer that there is not, with those that are called alike."""
        super().__init__()
        layers = dict(network.named_modules())
        if not layer or layer not in layers:
            alike = get_close_matches(layer, layers, n=5, cutoff=0.4) or list(layers)[-5:]
            raise ValueError(f"the network has no layer {layer!r}; there are {', '.join(filter(None, alike))}")
        self._network = network
        self._seen: list[Tensor] = []
        layers[layer].register_forward_hook(self._keep)

    def forward(self, images: Tensor) -> Tensor:
        self._network(images)
        map_ = self._seen[-1]
        self._seen.clear()
        return channels_first(map_)

    def _keep(self, _layer: nn.Module, _inputs: Any, output: Any) -> None:  # noqa: ANN401 - whatever a layer gives
        if isinstance(output, Tensor):
            self._seen.append(output)


@torch.inference_mode()
def last_map(network: nn.Module, side: int) -> str:
    """Name the layer that gives the last map before everything is one vector. Raises ValueError where none does."""
    found: list[str] = []

    def look(name: str) -> Any:  # noqa: ANN401 - as above
        def keep(_layer: nn.Module, _inputs: Any, output: Any) -> None:  # noqa: ANN401
            if isinstance(output, Tensor) and _is_map(output):
                found.append(name)

        return keep

    hooks = [module.register_forward_hook(look(name)) for name, module in network.named_modules() if name]
    was_training = network.training
    try:
        network.eval()(torch.zeros(1, 3, side, side))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    if not found:
        raise ValueError("the network has no map to pool; leave pool= out, or name a layer")
    return found[-1]


def channels_first(map_: Tensor) -> Tensor:
    """Some transformers give (batch, height, width, channels): their square lies in the middle."""
    if map_.ndim == 4 and map_.shape[1] == map_.shape[2] != map_.shape[3]:
        return map_.permute(0, 3, 1, 2)
    return map_


def _is_map(output: Tensor) -> bool:
    if output.ndim == 4:
        return min(channels_first(output).shape[2:]) > 1
    return output.ndim == 3 and output.shape[1] > 1
