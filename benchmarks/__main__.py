"""Run the benchmark: ``python -m benchmarks``. The last line is JSON with the ratios."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator

from benchmarks import extractor, query, searchable
from benchmarks.bare import BareExtraction, BareSearch
from benchmarks.bare_bus import BARE_TOPICS
from benchmarks.features import feature_watch
from benchmarks.machine import describe
from benchmarks.plan import Plan, full, quick
from benchmarks.stack import Stack, running_stack
from benchmarks.table import Part, say
from shared.client import AfterimageClient
from shared.runtime.logging import configure_logging


def main() -> None:
    options = _options()
    plan = (quick if options.quick else full)(options.threads)
    configure_logging(level="WARNING")
    started = time.perf_counter()
    print(describe())
    with running_stack(plan.threads, topics=BARE_TOPICS) as (stack, broker):
        print(f"broker: {broker}")
        print(f"threads: {plan.threads} for the model and for decoding, in the workers and in the bare parts alike")
        ratios = asyncio.run(_run(plan, stack))
    say(f"done in {time.perf_counter() - started:.0f} s")
    print(json.dumps({name: round(value, 3) for name, value in ratios.items()}))


async def _run(plan: Plan, stack: Stack) -> dict[str, float]:
    ratios: dict[str, float] = {}
    async for part in _parts(plan, stack):
        part.show()
        ratios |= part.ratios
    return ratios


async def _parts(plan: Plan, stack: Stack) -> AsyncIterator[Part]:
    say("loading the model")
    bare = BareExtraction(plan.threads)
    async with AfterimageClient(stack.bootstrap_servers) as client:
        async with feature_watch(stack) as features:
            [extracting] = await asyncio.to_thread(stack.start, "extractor")
            yield await extractor.measure(plan, bare, client, features, extracting)
        _, searching = await asyncio.to_thread(stack.start, "indexer", "searcher")
        await _until_indexed(client, features.positions)
        yield await query.measure(plan, bare, client, BareSearch(features.codes, bare.vector_format), stack)
        yield await searchable.measure(plan, bare, client, stack, searching)


async def _until_indexed(client: AfterimageClient, positions: dict[int, int]) -> None:
    reply = await client.search(id="warm-up-0", min_position=positions, timeout_s=60)
    assert reply.error is None, reply.error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="What streaming costs, as ratios against the bare parts on the same machine.",
    )
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument(
        "--threads",
        type=int,
        default=max(1, (os.cpu_count() or 1) // 2),
        help="threads for the model and for decoding; the default is half of the cores (%(default)s here), "
        "because the broker, the other workers and this program need the rest",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
