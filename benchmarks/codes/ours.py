"""Our codes, fitted and applied."""

import time
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.codes.plan import Fit
from benchmarks.index.workload import K, RowNumbers, Vectors
from shared.codes.code import Code
from shared.codes.description import describe_code
from shared.codes.fitted_file import pack
from shared.codes.fitting.fit import fit
from shared.codes.recipe import Recipe
from shared.codes.registry import load_code
from shared.index.ranking import rank_codes
from shared.index.vectors import VectorFormat


def measure(recipe: str, base: Vectors, queries: Vectors, rounds: int, threads: int) -> Fit:
    """Fit to the base, encode it several times, and search it for the queries as the index does."""
    torch.set_num_threads(threads)
    vectors = torch.from_numpy(np.array(base))
    began = time.perf_counter()
    fitted = fit(vectors, Recipe.parse(recipe))
    fit_s = time.perf_counter() - began
    with NamedTemporaryFile(suffix=".safetensors") as file:
        Path(file.name).write_bytes(pack(fitted))
        code, vector_format = load_code(file.name), VectorFormat.of(describe_code(file.name))
    rates = [_encoded_per_s(code, vectors) for _ in range(rounds)]
    stored, asked = code.encode(vectors), code.encode_queries(torch.from_numpy(np.array(queries)))
    return Fit(
        fit_s=fit_s,
        encoded_per_s=rates,
        code_bytes=code.bytes_per_vector(base.shape[1]),
        found=_nearest(_bytes_of(stored), _bytes_of(asked), vector_format),
    )


def _encoded_per_s(code: Code, vectors: torch.Tensor) -> float:
    began = time.perf_counter()
    code.encode(vectors)
    return len(vectors) / (time.perf_counter() - began)


def _bytes_of(codes: torch.Tensor) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(codes.numpy()).view(np.uint8)


def _nearest(codes: npt.NDArray[np.uint8], queries: npt.NDArray[np.uint8], vector_format: VectorFormat) -> RowNumbers:
    rankings = rank_codes(codes, queries, K, vector_format, np.ones(len(codes), np.bool_))
    return np.array([ranking.rows[:K] for ranking in rankings])
