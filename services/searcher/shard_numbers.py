"""Which shards a searcher holds, as people write it: ``0-3,6``."""

import re
from collections.abc import Iterable
from itertools import pairwise

_PART = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def read_shards(text: str) -> frozenset[int]:
    """Raises ValueError where the text is something else."""
    shards: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise ValueError("shards are numbers and ranges of them, such as 0-3,6")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ValueError(f"the range {part.strip()} ends before it begins")
        shards.update(range(first, last + 1))
    return frozenset(shards)


def name_of(shards: Iterable[int]) -> str:
    """The same for the same shards, in the fewest ranges: the name of the group of those who hold them."""
    numbers = sorted(shards)
    starts = [numbers[0], *(later for earlier, later in pairwise(numbers) if later != earlier + 1)]
    ends = [*(earlier for earlier, later in pairwise(numbers) if later != earlier + 1), numbers[-1]]
    return "_".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
