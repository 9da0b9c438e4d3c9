"""The same by faiss. In a process of its own: it does not share one with USearch."""

from pathlib import Path

import numpy as np

from benchmarks.codes.plan import FACTORIES, Fit
from benchmarks.index.timing import Timer
from benchmarks.index.workload import K, Vectors, Workload


def measure(recipe: str, learned: Vectors, workload: Path, rounds: int, threads: int) -> Fit:
    """Fit, encode the base several times, and search it for the queries by faiss's own exhaustive search."""
    import faiss  # noqa: PLC0415 - whoever only names this function may have USearch

    faiss.omp_set_num_threads(threads)
    loaded = Workload.load(workload)
    base, queries = np.array(loaded.base), np.array(loaded.queries)
    index = faiss.index_factory(base.shape[1], FACTORIES[recipe], faiss.METRIC_INNER_PRODUCT)
    last = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexPreTransform) else index
    if isinstance(last, faiss.IndexPQ):
        last.pq.cp.min_points_per_centroid = 1  # else it warns of each sub-space
    if isinstance(last, faiss.IndexResidualQuantizer):
        last.rq.max_beam_size = 1  # as ours, which keeps the nearest codeword alone
    with Timer() as fitting:
        index.train(learned)
    rates = []
    for _ in range(rounds):
        with Timer() as timer:
            index.sa_encode(base)
        rates.append(timer.rate(len(base)).cpu)
    index.add(base)
    projected = base
    if last is not index:
        for step in range(index.chain.size()):
            projected = index.chain.at(step).apply(projected)
    decoded = last.sa_decode(last.sa_encode(projected))
    return Fit(
        fit_s=fitting.cpu_s,
        encoded_per_s=rates,
        code_bytes=index.sa_code_size(),
        found=index.search(queries, K)[1],
        distortion=float(np.square(decoded - projected).sum(axis=1).mean()),
    )
