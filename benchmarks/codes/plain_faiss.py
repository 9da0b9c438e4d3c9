"""The same by faiss. In a process of its own: it does not share one with USearch."""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.codes.plan import FACTORIES, Fit
from benchmarks.index.workload import K, Vectors


def measure(recipe: str, base: Vectors, queries: Vectors, rounds: int, threads: int) -> Fit:
    """Fit to the base, encode it several times, and search it for the queries by faiss's own exhaustive search."""
    import faiss  # noqa: PLC0415 - whoever only names this function may have USearch

    faiss.omp_set_num_threads(threads)
    base, queries = np.array(base), np.array(queries)
    index = faiss.index_factory(base.shape[1], FACTORIES[recipe], faiss.METRIC_INNER_PRODUCT)
    began = time.perf_counter()
    index.train(base)
    fit_s = time.perf_counter() - began
    rates = [_rate(lambda: index.sa_encode(base), len(base)) for _ in range(rounds)]
    index.add(base)
    return Fit(
        fit_s=fit_s,
        encoded_per_s=rates,
        code_bytes=index.sa_code_size(),
        found=index.search(queries, K)[1],
    )


def _rate(encode: Callable[[], object], rows: int) -> float:
    began = time.perf_counter()
    encode()
    return rows / (time.perf_counter() - began)
