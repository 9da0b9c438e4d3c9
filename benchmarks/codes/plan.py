"""What is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.index.workload import RowNumbers

RECIPES = (
    "f16",
    "i8",
    "opq320",
    "opq320+f16",
    "pq320",
    "pq80",
    "pca64,opq16",
    "pca64,opq16+f16",
    "pca256,pq64",
    "vq4",
    "b1",
    "pca256,itq",
    "pca256,i8",
    "whiten256,f16",
)
"""Of features of 1,280 numbers: 320 bytes are a sixteenth of float32."""

FACTORIES = {
    "pq320": "PQ320np",
    "pq80": "PQ80np",
    "pca64,opq16": "PCA64,L2norm,OPQ16,PQ16np",
    "pca256,pq64": "PCA256,L2norm,PQ64np",
    "vq4": "RQ4x8_Nfloat",
}
"""What is asked of faiss, by recipe. np: without polysemous training, which is on by default, is of no use here, and
takes many times as long as finding the codewords. OPQ320 is left out, so that a run takes minutes."""

DEFAULT = "i8"
"""The service's default code, as a setting: unlike the recipe of that name it has a scale for each vector."""

RESCORED = 100
"""Rows that codewords find and halves then rank, where a recipe ends with +f16. A walk in a graph views more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """fit_s, encoded_per_s: by the processor's time. found: the rows that a search by the codes gives for each query.

    distortion: the mean squared distance of what is quantized from what the codes stand for; None for signs.
    """

    fit_s: float
    encoded_per_s: Sequence[float]
    code_bytes: int
    found: RowNumbers
    distortion: float | None
