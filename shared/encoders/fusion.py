"""Several encoders as one: their vectors side by side."""

import hashlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from shared.encoders.encoder import Encoder, TextEncoder, texts_of
from shared.encoders.precision import NumberFormat, Precision


class FusedEncoder:
    """Implements Encoder: the cosine of two of its vectors is the weighted mean of its members' cosines.

    For unit vectors a_i, b_i and shares w_i that add up to 1, the vectors of √w_i · a_i side by side have length 1, and
    their inner product is Σ w_i ⟨a_i, b_i⟩. An image is decoded once, at the size of the member that sees most; the
    others see that scaled to their own size.
    """

    def __init__(self, name: str, members: Sequence[Encoder], shares: Sequence[float]) -> None:
        """shares: of the similarity, one for each member, in all 1."""
        self.name = name
        self._members = members
        self._roots = [math.sqrt(share) for share in shares]
        largest = max(members, key=lambda member: member.input_size)
        self.preprocessing = largest.preprocessing
        self.input_size = largest.input_size
        self.device = largest.device
        self.dim = sum(member.dim for member in members)
        self.precision: Precision = largest.precision
        self.number_format: NumberFormat = largest.number_format
        self.backend = "+".join(sorted({member.backend for member in members}))
        sides = [texts_of(member) for member in members]
        self.texts = FusedTexts(members, sides, self._roots) if any(sides) else None
        self.weights_sha256 = hashlib.sha256("+".join(each.weights_sha256 for each in members).encode()).hexdigest()

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        """See Encoder.encode."""
        vectors = [member.encode(_scaled(images, member.input_size)) for member in self._members]
        return torch.cat([root * vector for root, vector in zip(self._roots, vectors, strict=True)], dim=1)


class FusedTexts:
    """Implements TextEncoder: texts are compared by the members that have a text side, and the others do not count.

    The inner product with an image is Σ w_i ⟨t_i, a_i⟩ / √(Σ w_i), both sums over the members with a text side.
    """

    def __init__(self, members: Sequence[Encoder], sides: Sequence[TextEncoder | None], roots: Sequence[float]) -> None:
        self._members = members
        self._sides = sides
        self._roots = roots

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """See TextEncoder.encode_text."""
        vectors = [
            torch.zeros(len(texts), member.dim, device=member.device)
            if side is None
            else root * side.encode_text(texts)
            for member, side, root in zip(self._members, self._sides, self._roots, strict=True)
        ]
        return torch.nn.functional.normalize(torch.cat(vectors, dim=1))


def _scaled(images: Tensor, side: int) -> Tensor:
    if images.shape[-1] == side:
        return images
    smaller = torch.nn.functional.interpolate(images.float(), (side, side), mode="bilinear", antialias=True)
    return smaller.round().clamp(0, 255).to(torch.uint8)
