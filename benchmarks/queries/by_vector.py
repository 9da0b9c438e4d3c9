"""Round trips by vector, against an echo with as many bytes and a search of the same graph; and what they cost."""

import asyncio
from statistics import median

import numpy as np
import numpy.typing as npt

from benchmarks.echo import EchoProcess
from benchmarks.queries.bare_graph import BareGraph
from benchmarks.queries.contenders import Cpu, Measurement, alternate, inprocess_per_s, rows_of
from benchmarks.queries.echoing import echo
from benchmarks.queries.plan import Plan
from benchmarks.stack import Stack
from benchmarks.table import Measured, Part
from shared.client import AfterimageClient
from shared.events import headers as hdr
from shared.events.search_replies import SearchReply, encode_reply
from shared.events.search_requests import SearchRequest, encode_request
from shared.events.vectors import pack_vector
from tests.harness.workers import WorkerProcess

TOP_K = 10
_TIMEOUT_S = 60.0
_LOOP = 2000
QUERY, ECHO, SEARCH = "query", "echo", "search"


class Questions:
    """The same vectors for all contenders. vectors: float32 (queries, dim); codes: int8, of the same."""

    def __init__(
        self,
        client: AfterimageClient,
        graph: BareGraph,
        vectors: npt.NDArray[np.float32],
        codes: npt.NDArray[np.int8],
    ) -> None:
        self._client = client
        self._graph = graph
        self._vectors = vectors
        self._codes = codes

    @property
    def request(self) -> SearchRequest:
        """What is sent, in its size."""
        return SearchRequest(vector=pack_vector(self._vectors[0]), top_k=TOP_K)

    async def ask(self, number: int) -> SearchReply:
        vector = self._vectors[number % len(self._vectors)]
        reply = await self._client.search(vector=vector, top_k=TOP_K, timeout_s=_TIMEOUT_S)
        assert reply.error is None, reply.error
        return reply

    async def search(self, number: int) -> None:
        await self._graph.search_beside(self._codes[number % len(self._codes)], TOP_K)

    def search_here(self, number: int) -> None:
        self._graph.search(self._codes[number % len(self._codes)], TOP_K)


async def measure(plan: Plan, questions: Questions, stack: Stack, searcher: WorkerProcess) -> list[Part]:
    process = EchoProcess(stack.bootstrap_servers, stack.folder)
    await asyncio.to_thread(process.start)
    cpu = Cpu(searcher.pid)
    try:
        async with echo(
            stack.bootstrap_servers,
            request_bytes=len(encode_request(questions.request, hdr.MSGPACK)),
            reply_bytes=len(encode_reply(await questions.ask(0), hdr.MSGPACK)),
        ) as echoes:
            contenders = {ECHO: echoes, SEARCH: questions.search, QUERY: questions.ask}
            measured = await alternate(plan, "by vector", contenders, plan.queries, cpu={QUERY: cpu})
    finally:
        await asyncio.to_thread(process.stop)
    loop = [inprocess_per_s(questions.search_here, _LOOP) for _ in range(plan.rounds)]
    return [_round_trips(plan, measured), _rates(plan, measured, cpu, loop)]


def _round_trips(plan: Plan, measured: Measurement) -> Part:
    notes = {ECHO: "bare aiokafka, as many bytes each way", SEARCH: "USearch's graph of the same codes, one thread"}
    rows = dict(zip(measured, rows_of(measured, notes=notes), strict=True))
    ratios = {}
    for clients in plan.clients:
        query, parts = rows[QUERY, clients], [rows[ECHO, clients], rows[SEARCH, clients]]
        suffix = "" if clients == 1 else f"_{clients}"
        bare = sum(part.p50 for part in parts)
        ratios[f"rtt_p50_over_bare{suffix}"] = query.p50 / bare
        ratios[f"rtt_p99_over_bare{suffix}"] = query.p99 / bare
        ratios[f"rtt_p99_over_bare_p99{suffix}"] = query.p99 / sum(part.p99 for part in parts)
    return Part(
        title="1. Round trip by vector",
        unit="ms",
        rows=list(rows.values()),
        ratios=ratios,
        notes=["over_bare: over the sum of the medians of echo and search; over_bare_p99: over that of their p99"],
    )


def _rates(plan: Plan, measured: Measurement, cpu: Cpu, loop: list[float]) -> Part:
    most = max(plan.clients)
    rates = {clients: cpu.per_s(clients) for clients in plan.clients}
    return Part(
        title="2. Queries a second by vector",
        unit="queries/s",
        rows=[
            *(
                Measured(name=f"{clients:>2} x {QUERY}", values=measured[QUERY, clients].per_s, note="by the clock")
                for clients in plan.clients
            ),
            *(
                Measured(name=f"{clients:>2} x {QUERY}", values=[rate], note="of the searcher's processor time")
                for clients, rate in rates.items()
            ),
            Measured(name="in a loop", values=loop, note="USearch alone, of processor time"),
        ],
        ratios={"qps_vector_over_inprocess": rates[most] / median(loop)},
        notes=[f"over_inprocess: {most} clients, of processor time, as if each had a core to itself"],
    )
