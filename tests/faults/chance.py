"""Chance that can be repeated: FAULTS_SEED=7 has the tests of faults do what seed 7 does."""

import os
import random

SEED = int(os.environ.get("FAULTS_SEED", "4"))


def chance(seed: int | str = SEED) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret
