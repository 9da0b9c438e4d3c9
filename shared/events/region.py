"""A part of a picture."""

import msgspec


class Region(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Shares of the upright picture's width (left, right) and height (top, bottom), from its upper left corner.

    So it means the same at every size. 0 ≤ left < right ≤ 1, and so for the height; raises ValueError for others.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(
                "a region is [left, top, right, bottom] in shares of the picture's sides, from 0 to 1, left before "
                f"right and top before bottom, not {[self.left, self.top, self.right, self.bottom]}"
            )
