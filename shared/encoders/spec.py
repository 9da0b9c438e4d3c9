"""What an encoder is called: a family, what of it is used, and whether several are fused.

`efficientnet_lite0`, `timm:resnet50?pool=gem`, `efficientnet_lite0?pool=rmac&scales=1,0.7`,
`0.7*efficientnet_lite0+0.3*rnn`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.encoders.cnn.descriptor import POOLS, Descriptor

_OPTIONS = ("layer", "p", "pool", "scales", "weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec:
    """One encoder. base: its name without options. weights: the file with its trained weights, no part of its name."""

    base: str
    descriptor: Descriptor | None = None
    weights: Path | None = None

    def __str__(self) -> str:
        return f"{self.base}?{self.descriptor}" if self.descriptor else self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """Several encoders. shares: of the similarity, one for each, in all 1."""

    members: tuple[EncoderSpec, ...]
    shares: tuple[float, ...]

    def __str__(self) -> str:
        if len(set(self.shares)) == 1:
            return "+".join(map(str, self.members))
        return "+".join(f"{share:.6g}*{member}" for share, member in zip(self.shares, self.members, strict=True))


def parse_spec(name: str) -> EncoderSpec | Fusion:
    """Read the name of an encoder. Raises ValueError with a sentence that says what to change."""
    parts = [_weighted(name, part) for part in name.split("+")]
    if len(parts) == 1:
        share, member = parts[0]
        if share is not None:
            raise ValueError(
                f"the encoder {name!r} weights one encoder alone; leave the number out, or add another by +"
            )
        return member
    given = [share for share, _ in parts]
    if None in given and any(share is not None for share in given):
        raise ValueError(f"the encoder {name!r} weights some of its members; give all of them a number, or none")
    shares = [1.0 if share is None else share for share in given]
    if len({str(member) for _, member in parts}) < len(parts):
        raise ValueError(f"the encoder {name!r} names one encoder twice; weight it instead: 0.7*A+0.3*B")
    return Fusion(members=tuple(member for _, member in parts), shares=tuple(share / sum(shares) for share in shares))


def _weighted(name: str, part: str) -> tuple[float | None, EncoderSpec]:
    share, star, member = part.rpartition("*")
    if not star:
        return None, _single(name, member)
    return _positive(name, "a weight", share), _single(name, member)


def _single(name: str, part: str) -> EncoderSpec:
    base, question, text = part.partition("?")
    if not base:
        raise ValueError(f"the encoder {name!r} has a member without a name")
    if not question:
        return EncoderSpec(base=base)
    options: dict[str, str] = {}
    for option in text.split("&"):
        key, equals, value = option.partition("=")
        if key not in _OPTIONS or not equals or not value or key in options:
            raise ValueError(
                f"{option!r} in {name!r} is no option; give each of {', '.join(_OPTIONS)} once, as in pool=gem"
            )
        options[key] = value
    weights = options.pop("weights", None)
    descriptor = _descriptor(name, options) if options else None
    return EncoderSpec(base=base, descriptor=descriptor, weights=Path(weights) if weights else None)


def _descriptor(name: str, options: dict[str, str]) -> Descriptor:
    pool = options.get("pool", "avg" if "layer" in options else None)
    if pool is not None and pool not in POOLS:
        raise ValueError(f"pool={pool} in {name!r} is unknown; use {', '.join(POOLS)}")
    if "p" in options and pool != "gem":
        raise ValueError(f"p={options['p']} in {name!r} is the exponent of pool=gem, and of nothing else")
    return Descriptor(
        pool=pool,
        p=_positive(name, "p", options["p"]) if "p" in options else 3.0,
        layer=options.get("layer"),
        scales=_scales(name, options["scales"].split(",")) if "scales" in options else (1.0,),
    )


def _scales(name: str, values: Iterable[str]) -> tuple[float, ...]:
    scales = tuple(_positive(name, "a scale", value) for value in values)
    if max(scales) > 2:
        raise ValueError(f"the scale {max(scales):g} in {name!r} is larger than 2: an image has no more to show")
    return scales


def _positive(name: str, what: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"{text!r} in {name!r} must be a number above 0: it is {what}")
    return number
