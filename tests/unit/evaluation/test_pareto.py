"""The front holds what is worth its cost, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from shared.evaluation.pareto import pareto_front

NUMBERS = st.integers(0, 20).map(float)


def test_what_costs_more_and_is_not_better_lies_behind_the_front() -> None:
    assert pareto_front([5120, 1280, 8, 8, 1024], [0.65, 0.65, 0.28, 0.31, 0.2]) == [3, 1]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1))
def test_whatever_lies_behind_is_beaten_by_one_of_the_front_and_none_of_the_front_is(
    points: list[tuple[float, float]],
) -> None:
    costs, qualities = zip(*points, strict=True)
    front = pareto_front(costs, qualities)
    for number, (cost, quality) in enumerate(points):
        better = [one for one in range(len(points)) if costs[one] <= cost and qualities[one] >= quality]
        strictly = [one for one in better if (costs[one], qualities[one]) != (cost, quality)]
        assert bool(strictly) == (number not in front) or (cost, quality) in {points[one] for one in front}
        assert set(better) & set(front)
