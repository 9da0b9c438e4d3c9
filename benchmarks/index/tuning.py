"""How hard an index must search to find enough."""

from collections.abc import Callable, Sequence


def least_effort(efforts: Sequence[int], recall_at: Callable[[int], float], recall: float) -> int | None:
    """Return the first effort that reaches a recall; None where none does. More effort never finds less."""
    low, high = 0, len(efforts) - 1
    if recall_at(efforts[high]) < recall:
        return None
    while low < high:
        middle = (low + high) // 2
        if recall_at(efforts[middle]) < recall:
            low = middle + 1
        else:
            high = middle
    return efforts[low]
