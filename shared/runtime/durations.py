"""Durations as people write them: 30d, 12h."""

import re

_DURATION = re.compile(r"([1-9]\d{0,6})([smhdw])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def duration_ms(text: object) -> int:
    """Milliseconds of a number with its unit. Raises ValueError."""
    found = _DURATION.fullmatch(str(text).strip())
    if found is None:
        raise ValueError("write a whole number and s, m, h, d or w, such as 30d")
    return int(found[1]) * _UNIT_MS[found[2]]
