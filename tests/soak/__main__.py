"""``python -m tests.soak --minutes 30``: breaks the service again and again, and ends with 1 if a promise broke.

``python -m tests.soak --step redis_is_flushed --seed 7`` takes one step. What is done follows from the seed, and what
comes of it from the machine as well: a failure may need several tries. The servers are below `.soak`, outside of git.
"""

import argparse
import logging
import random
import secrets
import shutil
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import structlog

from tests.faults.site import Sites
from tests.soak.course import Soak, in_turn
from tests.soak.report import as_json, table
from tests.soak.steps import STEPS

_KEPT = Path(".soak")


def main() -> int:
    arguments = _arguments()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    started_at = time.monotonic()

    def say(line: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - started_at), 60)
        sys.stdout.write(f"soak {minutes:3}:{seconds:02}  {line}\n")
        sys.stdout.flush()

    # What is said here of damaged files, and of a broker that is gone, is as it should be. Workers have their own logs.
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _KEPT.mkdir(exist_ok=True)
    folder = Path(mkdtemp(dir=_KEPT)).absolute()
    sites = Sites(folder)
    soak = Soak(sites, say)
    if arguments.step:
        steps = iter([(step, seed) for step in STEPS if step.name == arguments.step])
    else:
        say(f"{arguments.minutes:g} minutes (again: make soak MINUTES={arguments.minutes:g} SEED={seed})")
        steps = in_turn(STEPS, random.Random(seed), seconds=60 * arguments.minutes)  # noqa: S311 - no secret
    try:
        soak.go_on(steps)
    except KeyboardInterrupt:
        say("interrupted")
    finally:
        sites.close()
    seconds = time.monotonic() - started_at
    if soak.tally.broken:
        say(f"the logs of the servers are in {folder}")
    else:
        shutil.rmtree(folder)
    sys.stdout.writelines(f"{line}\n" for line in table(soak.tally))
    sys.stdout.write(as_json(soak.tally, seed=seed, seconds=seconds) + "\n")
    return int(bool(soak.tally.broken) or not soak.tally.steps)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--step", choices=[step.name for step in STEPS])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
