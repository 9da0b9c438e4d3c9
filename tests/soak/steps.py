"""What a soak consists of: the scenarios of `tests/faults`, for longer, and tests that look further with every seed."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tests.faults.figures import Figures, PromiseBroken
from tests.faults.scenarios import Scenario
from tests.faults.scenarios.disk import store_is_full
from tests.faults.scenarios.files import bits_flip
from tests.faults.scenarios.kafka import kafka_restarts
from tests.faults.scenarios.processes import indexer_is_a_zombie, workers_die
from tests.faults.scenarios.redis import redis_is_flushed, redis_is_gone, redis_is_rolled_back
from tests.faults.scenarios.subscriptions import (
    network_to_redis_fails,
    subscriber_is_too_slow,
    subscription_dies_silently,
)
from tests.faults.site import Site

_JUDGING_S = 20.0
_EXAMPLES = re.compile(r"- (\d+) passing, ")
_LONG = ("--hypothesis-profile=soak", "--timeout=1800")


class Step(Protocol):
    """takes_s: about how long, so that a soak ends when it should."""

    @property
    def name(self) -> str: ...

    @property
    def takes_s(self) -> float: ...

    def run(self, site: Callable[[], Site], *, seed: int) -> Figures:
        """Raises PromiseBroken, Impossible, and anything else where the step itself failed."""


@dataclass(frozen=True, slots=True)
class OnSite:
    """A scenario of so many seconds."""

    scenario: Scenario
    seconds: float

    @property
    def name(self) -> str:
        return self.scenario.__name__

    @property
    def takes_s(self) -> float:
        return self.seconds + _JUDGING_S

    def run(self, site: Callable[[], Site], *, seed: int) -> Figures:
        there = site()
        before = there.features.operations
        try:
            figures = asyncio.run(self.scenario(there, seed=seed, seconds=self.seconds))
        except PromiseBroken as broken:
            broken.figures = replace(broken.figures, operations=there.features.operations - before)
            raise
        return replace(figures, operations=there.features.operations - before)


@dataclass(frozen=True, slots=True)
class ByPytest:
    """Tests whose chance follows from a seed, in a pytest of their own."""

    name: str
    takes_s: float
    tests: Sequence[str]

    def run(self, site: Callable[[], Site], *, seed: int) -> Figures:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                f"--hypothesis-seed={seed}",
                "--hypothesis-show-statistics",
                *self.tests,
            ],
            env={**os.environ, "FAULTS_SEED": str(seed)},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PromiseBroken(done.stdout + done.stderr)
        return Figures(examples=sum(map(int, _EXAMPLES.findall(done.stdout))))


STEPS: Sequence[Step] = (
    OnSite(redis_is_flushed, 20),
    OnSite(redis_is_rolled_back, 20),
    OnSite(redis_is_gone, 60),
    OnSite(subscription_dies_silently, 20),
    OnSite(network_to_redis_fails, 20),
    OnSite(subscriber_is_too_slow, 10),
    OnSite(store_is_full, 20),
    OnSite(bits_flip, 10),
    OnSite(kafka_restarts, 20),
    OnSite(workers_die, 30),
    OnSite(indexer_is_a_zombie, 30),
    ByPytest("indexing_dies_at_every_step", 15, ["tests/faults/test_crashes_while_indexing.py"]),
    ByPytest("sealing_dies_at_every_step", 60, ["tests/faults/test_crashes_while_sealing.py"]),
    ByPytest("whole_service_dies", 150, ["tests/faults/test_crashes.py"]),
    ByPytest("hypothesis_on_a_shard", 90, ["tests/property/test_shard_model.py", *_LONG]),
    ByPytest("hypothesis_on_the_simulation", 240, ["tests/property/test_replication_simulation.py", *_LONG]),
)
