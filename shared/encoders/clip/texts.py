"""The text side of CLIP: what an image is compared with when one asks in words."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

_WORDS_REMEMBERED = 10_000
"""The tokenizer keeps every word that it has split, and queries bring new ones for ever."""


class TextTower(Protocol):
    """What of a model of open_clip maps texts."""

    logit_scale: Tensor

    def encode_text(self, text: Tensor) -> Tensor:
        """Map tokens, int64 (batch, context_length), to vectors, float32 (batch, dim)."""


class ClipTexts:
    """Maps texts to unit vectors, by torch, on the device of the model. Not safe for two threads at once."""

    def __init__(self, tower: TextTower, context_length: int, tokenizer_options: Mapping[str, Any]) -> None:
        """context_length: how many tokens the model reads; of a longer text it sees the beginning."""
        self._tower = tower
        self._context_length = context_length
        self._tokenizer_options = tokenizer_options

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """See TextEncoder.encode_text."""
        tokens: Tensor = self._tokenize(list(texts))
        if len(self._tokenize.cache) > _WORDS_REMEMBERED:
            del self._tokenize  # the next text makes a new one
        vectors = self._tower.encode_text(tokens.to(self._tower.logit_scale.device))
        return nn.functional.normalize(vectors.float())

    @cached_property
    def _tokenize(self) -> Any:  # noqa: ANN401 - open_clip has no types
        from open_clip.tokenizer import SimpleTokenizer  # noqa: PLC0415 - optional; it brings its vocabulary along

        return SimpleTokenizer(context_length=self._context_length, **self._tokenizer_options)
