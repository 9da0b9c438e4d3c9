"""A soak goes on after whatever happens, counts it, and can be repeated."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import pytest

from tests.faults.figures import Figures, PromiseBroken
from tests.faults.site import Impossible, Site, Sites
from tests.soak.course import Soak, in_turn
from tests.soak.report import as_json, table
from tests.soak.steps import ByPytest


@dataclass(frozen=True)
class Told:
    """A step that ends as it was told to."""

    name: str
    end: Figures | Exception
    takes_s: float = 1.0

    def run(self, site: Callable[[], Site], *, seed: int) -> Figures:
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


STEPS = [
    Told("held", Figures(faults=2, operations=10, longest_healing_s=1.5)),
    Told("broken", PromiseBroken("three were lost", Figures(lost=3, longest_healing_s=0.5))),
    Told("failed", RuntimeError("the step itself is wrong")),
    Told("skipped", Impossible("there is no such disk here")),
    Told("held again", Figures(faults=1, operations=5, longest_healing_s=0.25)),
]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def soak(tmp_path: Path, said: list[str]) -> Soak:
    return Soak(Sites(tmp_path), said.append)


def test_figures_add_up_and_the_longest_stays(soak: Soak) -> None:
    soak.go_on((step, 7) for step in STEPS)
    assert soak.tally.figures == Figures(faults=3, operations=15, lost=3, longest_healing_s=1.5)
    assert soak.tally.steps == len(STEPS)


def test_what_was_broken_is_told_with_what_repeats_it(soak: Soak, said: list[str]) -> None:
    soak.go_on((step, seed) for seed, step in enumerate(STEPS))
    assert soak.tally.broken == [("broken", 1), ("failed", 2)]
    assert any("STEP=broken SEED=1" in line for line in said)
    assert any("three were lost" in line for line in said)
    assert any("the step itself is wrong" in line for line in said)
    assert any("STEP=failed SEED=2" in line for line in table(soak.tally))
    found = json.loads(as_json(soak.tally, seed=7, seconds=1.0))
    assert found["broken"] == [{"step": "broken", "seed": 1}, {"step": "failed", "seed": 2}]
    assert (found["lost"], found["faults"], found["skipped"]) == (3, 3, ["skipped"])


def test_a_site_on_which_something_failed_is_given_up(tmp_path: Path) -> None:
    class Counting(Sites):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    sites = Counting(tmp_path)
    Soak(sites, lambda line: None).go_on((step, 7) for step in STEPS)
    assert sites.closed == 2


def turns(seed: int, *, seconds: float = 1_000.0) -> Iterator[tuple[str, int]]:
    """By a clock that a second passes on each time that somebody looks."""
    clock = count()
    for step, step_seed in in_turn(STEPS, random.Random(seed), seconds=seconds, clock=lambda: next(clock)):  # noqa: S311
        yield step.name, step_seed


def test_a_seed_gives_the_same_steps_with_the_same_seeds_and_another_others() -> None:
    assert list(islice(turns(1), 50)) == list(islice(turns(1), 50)) != list(islice(turns(2), 50))


def test_every_step_has_its_turn_before_any_has_its_second() -> None:
    names = [name for name, _ in islice(turns(1), 2 * len(STEPS))]
    assert sorted(names[: len(STEPS)]) == sorted(names[len(STEPS) :]) == sorted(step.name for step in STEPS)


def test_a_step_that_would_last_beyond_the_end_is_passed_over() -> None:
    long, short = Told("long", Figures(), takes_s=60.0), Told("short", Figures(), takes_s=1.0)
    clock = count()
    taken = list(in_turn([long, short], random.Random(1), seconds=50.0, clock=lambda: next(clock)))  # noqa: S311
    assert {step.name for step, _ in taken} == {"short"}
    assert next(clock) <= 52


def by_pytest(folder: Path, text: str) -> Figures:
    """What becomes of a file of tests."""
    file = folder / "test_something.py"
    file.write_text(text, encoding="utf-8")
    return ByPytest("something", 1.0, ["--noconftest", str(file)]).run(no_site, seed=3)


def no_site() -> Site:
    raise AssertionError("these need none")


def test_what_hypothesis_tried_is_counted(tmp_path: Path) -> None:
    text = """
from hypothesis import given, settings, strategies

@settings(max_examples=12)
@given(strategies.integers())
def test_integers(number):
    pass
"""
    assert by_pytest(tmp_path, text).examples == 12


def test_a_test_that_fails_is_a_broken_promise_and_shows_itself(tmp_path: Path) -> None:
    with pytest.raises(PromiseBroken, match="three were lost"):
        by_pytest(tmp_path, "def test_something():\n    assert False, 'three were lost'\n")
