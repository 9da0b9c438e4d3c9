"""What a decoder is told when it starts."""

from dataclasses import dataclass

from shared.imaging.decoders.policy import DecodePolicy, Finish


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """How a decoder decodes, from its first image to its last."""

    finish: Finish
    policy: DecodePolicy
    size_hint: int | None
    """The shorter side, in pixels, that `finish` can make use of: see `decode_rgb`."""
