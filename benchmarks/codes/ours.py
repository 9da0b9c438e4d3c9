"""Our codes, fitted and applied."""

import time
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import torch

from benchmarks.codes.plan import Fit
from benchmarks.index.workload import K, Vectors
from shared.codes.code import Code
from shared.codes.fitted_file import pack
from shared.codes.fitting.fit import fit
from shared.codes.recipe import Recipe
from shared.codes.registry import load_code
from shared.evaluation.coding import coded
from shared.index.ranking import rank_codes


def measure(recipe: str, base: Vectors, queries: Vectors, rounds: int, threads: int) -> Fit:
    """Fit to the base, encode it several times, and search it for the queries as the index does."""
    torch.set_num_threads(threads)
    vectors = torch.from_numpy(np.array(base))
    began = time.perf_counter()
    fitted = fit(vectors, Recipe.parse(recipe))
    fit_s = time.perf_counter() - began
    with NamedTemporaryFile(suffix=".safetensors") as file:
        Path(file.name).write_bytes(pack(fitted))
        code, stored, asked = (
            load_code(file.name),
            coded(file.name, np.array(base)),
            coded(file.name, np.array(queries)),
        )
    every = np.ones(len(base), np.bool_)
    rankings = rank_codes(stored.codes, asked.queries, K, stored.vector_format, every)
    return Fit(
        fit_s=fit_s,
        encoded_per_s=[_encoded_per_s(code, vectors) for _ in range(rounds)],
        code_bytes=stored.codes.shape[1],
        found=np.array([ranking.rows[:K] for ranking in rankings]),
    )


def _encoded_per_s(code: Code, vectors: torch.Tensor) -> float:
    began = time.perf_counter()
    code.encode(vectors)
    return len(vectors) / (time.perf_counter() - began)
