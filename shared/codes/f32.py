"""The code that keeps everything."""

import torch
from torch import Tensor


class F32:
    """The vector as it is, four bytes a dimension: the yardstick for every other code."""

    name = "f32"
    metric = "cos"
    dtype = "f32"

    def bytes_per_vector(self, dim: int) -> int:
        return 4 * dim

    def encode(self, vectors: Tensor) -> Tensor:
        return vectors.to(torch.float32).contiguous()

    def encode_queries(self, vectors: Tensor) -> Tensor:
        return self.encode(vectors)
