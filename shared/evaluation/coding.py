"""Vectors as a code stores them, and as queries bring them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.codes.description import describe_code
from shared.codes.fitted_file import EncoderIdentity
from shared.codes.registry import load_code
from shared.index.vectors import Codes, VectorFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPictures:
    """codes: uint8 (pictures, bytes), as they are stored; queries: uint8 (pictures, query bytes)."""

    codes: Codes
    queries: Codes
    vector_format: VectorFormat


def coded(setting: str, vectors: npt.NDArray[np.float32], encoder: EncoderIdentity | None = None) -> CodedPictures:
    """Encode vectors, (pictures, dim), by the code that a setting names. Raises what `load_code` does."""
    code, batch = load_code(setting, encoder), torch.from_numpy(vectors)
    return CodedPictures(
        codes=_bytes_of(code.encode(batch)),
        queries=_bytes_of(code.encode_queries(batch)),
        vector_format=VectorFormat.of(describe_code(setting)),
    )


def _bytes_of(rows: Tensor) -> Codes:
    return np.ascontiguousarray(rows.numpy()).view(np.uint8)
