"""An index with known vectors, as if an extractor had made them."""

import asyncio
import time

import numpy as np
import numpy.typing as npt

from benchmarks.stack import Stack
from benchmarks.table import say
from benchmarks.worker_metrics import WorkerMetrics
from shared.bus.producer import RecordProducer
from shared.client import AfterimageClient
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import VERSION, SourcePosition
from tests.harness.workers import WorkerProcess

SHARD = 0
_AT_ONCE = 500
_WITHIN_S = 120.0


async def fill(client: AfterimageClient, stack: Stack, codes: npt.NDArray[np.uint8]) -> None:
    """Write a feature record for each row, with its number as id, and return when the searcher has them all.

    codes: uint8 (rows, bytes per code), of the scheme that the searcher says that it has.
    """
    say(f"indexing {len(codes)} vectors")
    scheme = (await client.search(id="nobody", timeout_s=60)).scheme or await _scheme(client, codes.shape[1])
    now_ms = time.time_ns() // 1_000_000
    async with RecordProducer(stack.bootstrap_servers, client_id="benchmark") as producer:

        async def put(number: int) -> int:
            record = FeatureRecord(
                v=VERSION,
                id=str(number),
                code=codes[number].tobytes(),
                scheme=scheme,
                source=SourcePosition(offset=number, partition=SHARD),
                uploaded_at=now_ms,
                attributes={"number": number},
            )
            sent = await producer.send(
                stack.topics.features, key=record.id.encode(), value=encode_feature(record), partition=SHARD
            )
            return int(sent.offset)

        last = -1
        for first in range(0, len(codes), _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, len(codes)))
            last = max(await asyncio.gather(*map(put, numbers)))
    reply = await client.search(id="0", min_position={SHARD: last}, timeout_s=_WITHIN_S)
    assert reply.error is None, reply.error


async def _scheme(client: AfterimageClient, dim: int) -> str:
    """What the searcher encodes with: its answer to a query by vector says so, whatever is indexed."""
    reply = await client.search(vector=[1.0] * dim, timeout_s=60)
    assert reply.error is None, reply.error
    return reply.scheme


async def until_sealed(searcher: WorkerProcess) -> None:
    """Wait until the searcher has taken over the segment that the indexer sealed of all rows."""
    say("waiting for the segment to be sealed")
    metrics = WorkerMetrics(searcher)
    deadline = time.monotonic() + _WITHIN_S
    while await asyncio.to_thread(metrics.total, "afterimage_replica_segments") < 1:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no segment was sealed within {_WITHIN_S:.0f} s")
        await asyncio.sleep(0.5)
