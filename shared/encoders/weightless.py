"""Networks whose weights have shapes, and take no memory."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_FACTORIES = frozenset({torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn})
_INITIALISERS = frozenset({"normal_", "uniform_", "erfinv_", "mul_", "add_", "clamp_", "fill_", "zero_"})


class Weightless(TorchFunctionMode):
    """While it is entered, what a network makes its weights of has no values, and none are drawn for it.

    Entering `torch.device("meta")` instead would take several times as long, for it does all
    that initialises the values; and torchvision's RegNets, which compute their widths with
    tensors, could not be built.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        named = dict(kwargs or {})
        if func in _FACTORIES and named.get("device") is None:
            named["device"] = "meta"
        elif func.__name__ in _INITIALISERS:
            tensor: Tensor = args[0] if args else named["tensor"]
            if tensor.is_meta:
                return tensor
        return func(*args, **named)
