"""One signed byte a dimension."""

import torch
from torch import Tensor


class I8:
    """Linear quantization with a scale of its own for each vector: round(v · 127 / max|v|), half to even.

    The scale is not stored, because the cosine does not depend on it. The result is
    symmetric: -128 never occurs, so no vector is closer to its negative than it should be.
    """

    name = "i8"
    metric = "cos"
    dtype = "i8"

    def bytes_per_vector(self, dim: int) -> int:
        return dim

    def encode(self, vectors: Tensor) -> Tensor:
        peaks = vectors.abs().amax(dim=1, keepdim=True)
        # The smallest normal number stands in for the peak of a zero vector, which stays zero.
        unit = vectors / peaks.clamp_min(torch.finfo(torch.float32).tiny)
        return (unit * 127).round().to(torch.int8)

    def encode_queries(self, vectors: Tensor) -> Tensor:
        return self.encode(vectors)
