"""Queries by image: what they cost, against decoding, encoding and searching in a loop."""

from statistics import median

import numpy as np

from benchmarks.bare import BareExtraction
from benchmarks.photos import photos
from benchmarks.queries.bare_graph import BareGraph
from benchmarks.queries.contenders import Cpu, alternate, inprocess_per_s, rows_of
from benchmarks.queries.plan import Plan
from benchmarks.table import Measured, Part
from shared.client import AfterimageClient
from shared.events.search_replies import SearchReply
from tests.harness.workers import WorkerProcess

_TIMEOUT_S = 60.0
_TOP_K = 10
QUERY = "query"


async def measure(
    plan: Plan, client: AfterimageClient, bare: BareExtraction, graph: BareGraph, searcher: WorkerProcess
) -> Part:
    async def ask(number: int) -> SearchReply:
        reply = await client.search(image=photos()[number % len(photos())], top_k=_TOP_K, timeout_s=_TIMEOUT_S)
        assert reply.error is None, reply.error
        return reply

    def alone(number: int) -> None:
        code = bare.extract(photos()[number % len(photos())])
        graph.search(np.frombuffer(code, np.int8), _TOP_K)

    cpu = Cpu(searcher.pid)
    measured = await alternate(plan, "by image", {QUERY: ask}, plan.image_queries, cpu={QUERY: cpu})
    loop = [inprocess_per_s(alone, plan.image_queries) for _ in range(plan.rounds)]
    most = max(plan.clients)
    rates = {clients: cpu.per_s(clients) for clients in plan.clients}
    return Part(
        title="3. By image",
        unit="ms; queries/s where it says so",
        rows=[
            *rows_of(measured, notes={}),
            *(
                Measured(name=f"{clients:>2} x {QUERY}", values=measured[QUERY, clients].per_s, note="queries/s")
                for clients in plan.clients
            ),
            *(
                Measured(name=f"{clients:>2} x {QUERY}", values=[rate], note="queries/s of the searcher's processors")
                for clients, rate in rates.items()
            ),
            Measured(name="in a loop", values=loop, note="queries/s of the processor: decode, encode, search"),
        ],
        ratios={"qps_image_over_inprocess": rates[most] / median(loop)},
        notes=["codes of query images are not remembered: each is encoded"],
    )
