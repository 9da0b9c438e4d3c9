"""Run the benchmark of queries: ``python -m benchmarks.queries``. The last line is JSON with the ratios."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.bare import BareExtraction, load_encoder_and_code
from benchmarks.bare_bus import BARE_TOPICS
from benchmarks.index.clustered import clustered
from benchmarks.machine import describe
from benchmarks.queries import by_image, by_vector, over_http
from benchmarks.queries.bare_graph import BareGraph
from benchmarks.queries.filling import fill, until_sealed
from benchmarks.queries.plan import Plan, full, quick
from benchmarks.stack import Stack, running_stack
from benchmarks.table import Part, say
from shared.client import AfterimageClient
from shared.runtime.logging import configure_logging

_QUERIES = 256
"""Different vectors that are asked for."""
HEADLINES = ("rtt_p50_over_bare", "rtt_p99_over_bare", "qps_vector_over_inprocess")
"""Come first in the last line."""


def main() -> None:
    options = _options()
    plan = quick(options.threads) if options.quick else full(options.threads, options.rows)
    configure_logging(level="WARNING")
    started = time.perf_counter()
    print(describe())
    ratios = run(plan)
    say(f"done in {time.perf_counter() - started:.0f} s")
    first = {name: ratios[name] for name in HEADLINES}
    print(json.dumps({name: round(value, 3) for name, value in (first | ratios).items()}))


def run(plan: Plan) -> dict[str, float]:
    """Print all parts; returns the ratios by name."""
    with TemporaryDirectory(prefix="afterimage-bench-") as store, ExitStack() as servers:
        env = {
            "AFTERIMAGE_SEGMENT_STORE": store,
            "INDEXER_SEAL_ROWS": str(plan.rows),
            "SEARCHER_REMEMBERED_IMAGES": "0",
            "GATEWAY_RATE_PER_S": "1000000",
        }
        running = running_stack(plan.threads, topics=BARE_TOPICS, partitions=1, env=env)
        stack, broker = servers.enter_context(running)
        print(f"broker: {broker}")
        print(f"index: one shard of {plan.rows} images, sealed; threads: {plan.threads}")
        return asyncio.run(_run(plan, stack))


async def _run(plan: Plan, stack: Stack) -> dict[str, float]:
    ratios: dict[str, float] = {}
    async for part in _parts(plan, stack):
        part.show()
        ratios |= part.ratios
    return ratios


async def _parts(plan: Plan, stack: Stack) -> AsyncIterator[Part]:
    bare = BareExtraction(plan.threads)
    encoder, code = load_encoder_and_code(plan.threads)
    vectors = clustered(plan.rows + _QUERIES, encoder.dim, seed=1)
    codes = code.encode(torch.from_numpy(vectors)).numpy().view(np.uint8)
    _, searcher, gateway = await asyncio.to_thread(stack.start, "indexer", "searcher", "gateway")
    async with AfterimageClient(stack.bootstrap_servers) as client:
        await fill(client, stack, codes[: plan.rows])
        await until_sealed(searcher)
        say("building USearch's graph")
        with BareGraph(codes[: plan.rows].view(np.int8)) as graph:
            asked = vectors[plan.rows :], codes[plan.rows :].view(np.int8)
            for part in await by_vector.measure(plan, by_vector.Questions(client, graph, *asked), stack, searcher):
                yield part
            yield await by_image.measure(plan, client, bare, graph, searcher)
        for part in await over_http.measure(plan, client, gateway):
            yield part


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.queries",
        description="What a query costs over Kafka and over HTTP, as ratios against its bare parts.",
    )
    parser.add_argument("--quick", action="store_true", help="see that everything works (no figures worth keeping)")
    parser.add_argument("--rows", type=int, default=20_000, help="images in the index (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="for the model and for decoding (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
