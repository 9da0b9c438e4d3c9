"""What is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.index.workload import RowNumbers

RECIPES = (
    "f16",
    "i8",
    "b1",
    "itq",
    "pq320",
    "opq320",
    "opq320+f16",
    "opq80",
    "opq80+f16",
    "vq16",
    "pca256,f16",
    "pca256,i8",
    "whiten256,f16",
    "pca256,itq",
    "pca256,pq64",
)
"""Of features of 1,280 numbers: 320 bytes are a sixteenth of float32."""

FACTORIES = {
    "pq320": "PQ320",
    "opq320": "OPQ320,PQ320",
    "pca256,pq64": "PCA256,PQ64",
    "pca256,f16": "PCA256,SQfp16",
    "vq16": "RQ16x8_Nfloat",
}
"""What is asked of faiss, by recipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """found: the rows that a search by the codes gives for each query."""

    fit_s: float
    encoded_per_s: Sequence[float]
    code_bytes: int
    found: RowNumbers
