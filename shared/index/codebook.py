"""Codewords that stand for vectors, and comparing with them by looking up."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

WORDS = 256
"""Codewords to choose from in each place of a code: as many as a byte can name."""
_CHUNK_ROWS = 1024

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codebook:
    """words: float32 (places, 256, length), for a code of one byte in each place.

    residual: the vector is the sum of its codewords, each as long as it is; otherwise they follow one another.
    squares: of the codewords' lengths, float32 (places, 256).
    """

    words: Floats
    residual: bool
    squares: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.words.ndim != 3 or self.words.shape[1] != WORDS or self.words.dtype != np.float32:
            raise ValueError(
                f"codewords are float32 (places, {WORDS}, length), not {self.words.dtype} {self.words.shape}"
            )
        object.__setattr__(self, "squares", np.square(self.words).sum(axis=2))

    @property
    def places(self) -> int:
        return len(self.words)

    @property
    def dim(self) -> int:
        """The length of a vector."""
        length: int = self.words.shape[2]
        return length if self.residual else length * self.places

    def tables(self, queries: Floats) -> Floats:
        """Return the inner product of each query with each codeword, float32 (queries, places · 256).

        The sum over a code's places is the query's inner product with the vector that the code stands for: asymmetric
        distance computation, Jégou, Douze & Schmid 2011, section III-A. queries: float32 (queries, dim).
        """
        if self.residual:
            return np.ascontiguousarray(queries @ self.words.reshape(-1, self.words.shape[2]).T)
        by_place = queries.reshape(len(queries), self.places, -1).transpose(1, 0, 2)
        products = by_place @ self.words.transpose(0, 2, 1)
        return np.ascontiguousarray(products.transpose(1, 0, 2)).reshape(len(queries), -1)

    def scales_of(self, codes: Codes) -> Floats:
        """Return one by the length of each vector that codes, uint8 (rows, places), stand for, float32 (rows,).

        The inner product times that is the cosine with a query of length 1. Zero where the vector is.
        """
        if self.residual:
            lengths = np.square(self.vectors_of(codes), dtype=np.float64).sum(axis=1)
        else:
            lengths = self.squares[np.arange(self.places), codes].sum(axis=1, dtype=np.float64)
        scales = np.zeros(len(codes), np.float32)
        np.divide(1, np.sqrt(lengths), out=scales, where=lengths > 0, casting="same_kind")
        return scales

    def vectors_of(self, codes: Codes) -> Floats:
        """Return the vectors that codes, uint8 (rows, places), stand for, float32 (rows, dim)."""
        vectors = np.zeros((len(codes), self.dim), np.float32)
        length = self.words.shape[2]
        for place, words in enumerate(self.words):
            if self.residual:
                vectors += words[codes[:, place]]
            else:
                vectors[:, place * length : (place + 1) * length] = words[codes[:, place]]
        return vectors

    def codes_of(self, vectors: Floats) -> Codes:
        """Return the nearest codewords, uint8 (rows, places), as the code that was fitted chooses them."""
        codes = np.empty((len(vectors), self.places), np.uint8)
        halves = np.square(self.words).sum(axis=2) / 2
        length = self.words.shape[2]
        for first in range(0, len(vectors), _CHUNK_ROWS):
            left = vectors[first : first + _CHUNK_ROWS].copy()
            for place, words in enumerate(self.words):
                part = left if self.residual else left[:, place * length : (place + 1) * length]
                chosen = (part @ words.T - halves[place]).argmax(axis=1)
                codes[first : first + _CHUNK_ROWS, place] = chosen
                if self.residual:
                    left -= words[chosen]
        return codes
