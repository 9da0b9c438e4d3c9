"""Schemes as they are named on the command line."""

from dataclasses import dataclass

from services.cli.failures import Failure, Status
from shared.codes.description import PLAIN
from shared.codes.recipe import Recipe
from shared.evaluation.baselines import BASELINES


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeSpec:
    """encoder: as AFTERIMAGE_ENCODER, or a baseline. code: as AFTERIMAGE_CODE, or a recipe; None of a baseline."""

    encoder: str
    code: str | None

    @classmethod
    def parse(cls, text: str) -> "SchemeSpec":
        """Read ENCODER[@CODE], where what follows the last @ is the code. Raises Failure."""
        if text in BASELINES:
            return cls(encoder=text, code=None)
        encoder, _, code = text.rpartition("@") if "@" in text else (text, "", "i8")
        if encoder in BASELINES:
            raise Failure(f"{encoder} has a code of its own; leave out @{code}", Status.MISUSED)
        if code not in PLAIN and not code.endswith(".safetensors"):
            try:
                Recipe.parse(code)
            except ValueError as error:
                raise Failure(f"the scheme {text!r} cannot be used: {error}", Status.MISUSED) from error
        return cls(encoder=encoder, code=code)

    def __str__(self) -> str:
        return self.encoder if self.code is None else f"{self.encoder}@{self.code}"

    @property
    def learns(self) -> bool:
        """Whether the code is fitted here."""
        return self.code is not None and self.code not in PLAIN and not self.code.endswith(".safetensors")
