"""What a code is like, for those who only compare codes: nothing here brings torch."""

from dataclasses import dataclass
from pathlib import Path

from shared.codes.fitted_file import Floats, read_fitted
from shared.codes.recipe import Element, Metric, Recipe

PLAIN = ("f32", "f16", "i8")
"""Codes that need no fitting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDescription:
    """name: in the scheme. codewords: float32 (words, 256, length), None where the code has none.

    residual: the codewords of a vector are added; otherwise each stands for a part of it.
    """

    name: str
    recipe: Recipe
    codewords: Floats | None = None

    @property
    def element(self) -> Element:
        return self.recipe.element

    @property
    def metric(self) -> Metric:
        return self.recipe.metric

    @property
    def residual(self) -> bool:
        return self.recipe.kind == "vq"

    def bytes_per_vector(self, dim: int) -> int:
        return self.recipe.bytes_per_vector(dim)


def describe_code(setting: str) -> CodeDescription:
    """Describe the code that a setting names: f32, f16 or i8, or the path of a file. Raises ValueError."""
    if setting in PLAIN:
        return CodeDescription(name=setting, recipe=Recipe.parse(setting))
    path = fitted_path(setting)
    code, sha256 = read_fitted(path)
    return CodeDescription(name=fitted_name(code.recipe, sha256), recipe=code.recipe, codewords=code.codewords)


def fitted_path(setting: str) -> Path:
    """Return the file that a setting names. Raises ValueError where it cannot be meant for one."""
    if not setting.endswith(".safetensors"):
        raise ValueError(
            f"there is no code {setting!r}; the codes are {', '.join(sorted(PLAIN))}, and files that end with "
            ".safetensors, which `afterimage fit-code` makes"
        )
    return Path(setting)


def fitted_name(recipe: Recipe, sha256: str) -> str:
    """What a fitted code is called in the scheme: another file is another code."""
    return f"{recipe}@{sha256[:16]}"


def code_of_scheme(fingerprint: str) -> str | None:
    """Return the name of the code that a scheme's fingerprint begins with; None where it has none."""
    return fingerprint.rpartition(":")[0] or None
