"""What is worth its cost: nothing that costs no more is better."""

from collections.abc import Sequence


def pareto_front(costs: Sequence[float], qualities: Sequence[float]) -> list[int]:
    """Return the numbers of those on the front, from the cheapest to the best.

    Of several that cost the same and are as good, the first stands for all.
    """
    front: list[int] = []
    for number in sorted(range(len(costs)), key=lambda one: (costs[one], -qualities[one])):
        if not front or qualities[number] > qualities[front[-1]]:
            front.append(number)
    return front
