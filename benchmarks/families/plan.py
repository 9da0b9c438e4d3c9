"""What is compared with what, and on which pictures."""

from dataclasses import dataclass
from pathlib import Path

FAMILIES = (
    "efficientnet_lite0@f32",
    "efficientnet_lite0?pool=gem@f32",
    "efficientnet_lite0?pool=rmac@f32",
    "rnn@f32",
    "efficientnet_lite0+rnn@f32",
    "gan@f32",
    "bigan@f32",
    "efficientnet_lite0+gan@f32",
    "efficientnet_lite0+bigan@f32",
    "histogram",
    "phash",
    "dhash",
)
_RECIPES = (
    *("f32", "f16", "i8", "pca128,f16", "whiten128,f16", "pca128,i8", "b1", "itq", "pca128,itq"),
    *("pq80", "opq80", "vq8", "pca128,opq16", "pca128,opq16+f16"),
)
CODES = tuple(f"efficientnet_lite0@{recipe}" for recipe in _RECIPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One table: `afterimage evaluate` with these options."""

    name: str
    data: Path
    schemes: tuple[str, ...]
    options: tuple[str, ...] = ()


def runs(photos: Path, drawings: Path, clothes: Path) -> list[Run]:
    few = ("--per-class", "30")
    return [
        Run(name="photos", data=photos, schemes=FAMILIES),
        Run(name="drawings", data=drawings, schemes=FAMILIES, options=few),
        Run(name="clothes", data=clothes, schemes=FAMILIES, options=few),
        Run(name="copies of photos", data=photos, schemes=FAMILIES, options=("--copies",)),
        Run(name="copies of drawings", data=drawings, schemes=FAMILIES, options=("--copies", "--queries", "50")),
        Run(name="codes on drawings", data=drawings, schemes=CODES),
        Run(name="codes on clothes", data=clothes, schemes=CODES),
    ]
