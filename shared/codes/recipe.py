"""What a fitted code is made of, as one writes it: `pca256,itq`, `opq80`, `pca320,opq40+f16`."""

import re
from dataclasses import dataclass
from typing import Literal, cast

Projection = Literal["pca", "whiten"]
Kind = Literal["f32", "f16", "i8", "b1", "itq", "pq", "opq", "vq"]
Element = Literal["f32", "f16", "i8", "b1", "pq", "vq"]
Metric = Literal["cos", "hamming"]

WORDS = 256
"""Codewords of a codebook: as many as a byte can name."""

_FORM = re.compile(
    r"(?:(?P<projection>pca|whiten)(?P<out>[1-9]\d{0,4}),)?"
    r"(?P<kind>f32|f16|i8|b1|itq|(?:o?pq|vq)(?P<words>[1-9]\d{0,4}))(?P<rescored>\+f16)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The steps from a feature vector to a code.

    projection, out_dim: onto so many principal components, whitened or not; None leaves the vector as it is. words:
    codewords that stand for a vector, a byte each; 0 where it is none of pq, opq and vq. rescored: stored is the vector
    in halves of a float32, and the codewords only lead a search to those that it ranks by them.
    """

    projection: Projection | None
    out_dim: int | None
    kind: Kind
    words: int = 0
    rescored: bool = False

    @classmethod
    def parse(cls, text: str) -> "Recipe":
        """Raises ValueError with the form that is wanted."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(
                f"there is no code {text!r}; write [pcaD,|whitenD,] and one of f32, f16, i8, b1, itq, pqM, opqM and "
                "vqM, where M is the bytes of a vector; pq, opq and vq may end with +f16: pca256,itq or opq80+f16"
            )
        kind = found["kind"].rstrip("0123456789") if found["words"] else found["kind"]
        if found["rescored"] and not found["words"]:
            raise ValueError(f"the code {text!r} ends with +f16, which helps pq, opq and vq alone")
        return cls(
            projection=cast("Projection | None", found["projection"]),
            out_dim=int(found["out"]) if found["out"] else None,
            kind=cast("Kind", kind),
            words=int(found["words"] or 0),
            rescored=found["rescored"] is not None,
        )

    def __str__(self) -> str:
        first = f"{self.projection}{self.out_dim}," if self.projection else ""
        return f"{first}{self.kind}{self.words or ''}{'+f16' if self.rescored else ''}"

    @property
    def element(self) -> Element:
        """What the index finds in a code."""
        if self.rescored:
            return "f16"
        return {"opq": "pq", "itq": "b1"}.get(self.kind, self.kind)  # type: ignore[return-value]

    @property
    def metric(self) -> Metric:
        """How the index compares it."""
        return "hamming" if self.element == "b1" else "cos"

    def coded_dim(self, dim: int) -> int:
        """The length of what is quantized, of vectors of `dim` numbers. Raises ValueError where that does not go."""
        coded = self.out_dim or dim
        if coded > dim:
            raise ValueError(f"{self} asks for {coded} principal components, and the vectors have {dim} numbers")
        if self.kind in ("pq", "opq") and coded % self.words:
            divisors = [n for n in range(1, coded + 1) if coded % n == 0]
            near = min(divisors, key=lambda n: abs(n - self.words))
            raise ValueError(f"{self} cuts {coded} numbers into {self.words} parts, which does not go: {near} would do")
        return coded

    def check_rows(self, rows: int) -> None:
        """Raises ValueError where so few vectors are not enough to be fitted to."""
        if rows < 1:
            raise ValueError("there is no vector to be fitted to")
        if rows < (self.out_dim or 0):
            raise ValueError(f"{self.out_dim} principal components need as many vectors, and there are {rows}")
        if self.words and rows < WORDS:
            raise ValueError(f"{WORDS} codewords need at least as many vectors to be fitted to, and there are {rows}")

    def bytes_per_vector(self, dim: int) -> int:
        """The length of a code."""
        coded = self.coded_dim(dim)
        if self.element in ("pq", "vq"):
            return self.words
        return -(-coded // 8) if self.element == "b1" else coded * {"f32": 4, "f16": 2, "i8": 1}[self.element]
