"""The bytes that a scheme would store of vectors, and those that queries would bring."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from services.cli.evaluation.schemes import SchemeSpec
from services.cli.evaluation.vectors import Rows
from shared.codes.fitted_file import EncoderIdentity, pack
from shared.codes.fitting.fit import fit
from shared.codes.recipe import Recipe
from shared.evaluation.baselines import BASELINES
from shared.evaluation.coding import CodedPictures, coded


def stored(
    spec: SchemeSpec, vectors: Rows, others: Rows, encoder: EncoderIdentity | None, *, seed: int
) -> CodedPictures:
    """Encode vectors; a code that learns is fitted to the others. Raises ValueError where that does not go."""
    if spec.code is None:
        codes = vectors.astype(np.uint8)
        return CodedPictures(codes=codes, queries=codes, vector_format=BASELINES[spec.encoder][1])
    with _code_file(spec, others, encoder, seed) as setting:
        return coded(setting, vectors.astype(np.float32), encoder)


@contextmanager
def _code_file(spec: SchemeSpec, others: Rows, encoder: EncoderIdentity | None, seed: int) -> Iterator[str]:
    """The setting of the code: what is fitted here is a file for as long as it is used."""
    assert spec.code is not None  # noqa: S101 - that of a baseline is made with its features
    if not spec.learns:
        yield spec.code
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "code.safetensors")
        fitted = fit(torch.from_numpy(others.astype(np.float32)), Recipe.parse(spec.code), encoder=encoder, seed=seed)
        path.write_bytes(pack(fitted))
        yield str(path)
