"""The first step of a code: centre, project, and scale to length 1."""

import torch
from torch import Tensor


def project(vectors: Tensor, mean: Tensor | None, matrix: Tensor | None) -> Tensor:
    """Return matrix @ (x - mean) of length 1 for each vector; what is None is left out. A vector then zero stays so.

    vectors: float32 (batch, dim). mean: (dim,). matrix: (coded, dim). returns: float32 (batch, coded).
    """
    if mean is not None:
        vectors = vectors - mean
    if matrix is not None:
        vectors = vectors @ matrix.T
    return torch.nn.functional.normalize(vectors, eps=torch.finfo(torch.float32).tiny)
