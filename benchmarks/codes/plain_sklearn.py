"""Principal components and k-means, against scikit-learn's on the same vectors."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from benchmarks.index.timing import Timer
from benchmarks.index.workload import Vectors
from shared.codes.codewords import nearest
from shared.codes.fitting.kmeans import ITERATIONS, kmeans
from shared.codes.fitting.principal import principal_components

COMPONENTS = 256
CENTRES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Seconds of the processor of both, and how alike the results are: ours divided by scikit-learn's.

    variance: of the first components. inertia: the squared distance to the nearest centre, summed; lower is better.
    """

    pca_s: tuple[float, float]
    kmeans_s: tuple[float, float]
    variance: float
    inertia: float


def measure(learned: Vectors, threads: int) -> Agreement:
    torch.set_num_threads(threads)
    vectors = torch.from_numpy(learned)
    with Timer() as our_pca:
        components = principal_components(vectors)
    with Timer() as our_kmeans:
        centres = kmeans(vectors[None], CENTRES, torch.Generator().manual_seed(0))
    chosen = centres[0][nearest(vectors[None], centres)[0]]
    with threadpool_limits(threads):
        with Timer() as their_pca:
            reference = PCA(COMPONENTS, svd_solver="covariance_eigh").fit(learned)
        with Timer() as their_kmeans:
            clusters = KMeans(CENTRES, init="random", n_init=1, max_iter=ITERATIONS, tol=0, random_state=0).fit(learned)
    return Agreement(
        pca_s=(our_pca.cpu_s, their_pca.cpu_s),
        kmeans_s=(our_kmeans.cpu_s, their_kmeans.cpu_s),
        variance=float(components.variances[:COMPONENTS].sum() / np.sum(reference.explained_variance_)),
        inertia=float((vectors - chosen).square().sum()) / float(clusters.inertia_),
    )
