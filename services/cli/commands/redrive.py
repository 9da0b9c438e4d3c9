"""`afterimage redrive`: send rejected images through again, after what was wrong is set right."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from services.cli.failures import Failure, Status
from services.cli.running import out, run
from services.cli.settings import CliSettings
from shared.bus.cluster import Cluster
from shared.bus.consumer import Record
from shared.bus.scan import scan
from shared.client import AfterimageClient, UploadRejected
from shared.events.faults import RejectReason
from shared.events.rejects import Reject, read_reject
from shared.events.topics import DELETES_TOLD_MS, Topics
from shared.wires.kafka import Servers


def redrive(
    reason: Annotated[list[RejectReason] | None, typer.Option(help="Only these reasons; repeat for more.")] = None,
    id: Annotated[list[str] | None, typer.Option(help="Only these images; repeat for more.")] = None,  # noqa: A002 - the option's name
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for each.")] = 60.0,
) -> None:
    """Send rejected images through again.

    An event keeps its place among the events of its image: what came later still wins. Rejects older than six days
    are refused, since deletes are remembered for seven; those whose content was too large to keep cannot be sent.
    """

    async def send(settings: CliSettings) -> Status:
        topics = Topics(settings.namespace)
        chosen = {
            reject.source: (record, reject)
            async for record, reject in _rejects(settings.kafka, topics)
            if (not reason or reject.reason in reason)
            and (not id or (record.key or b"").decode(errors="replace") in id)
        }
        now_ms = time.time_ns() // 1_000_000
        sendable = [
            item for item in chosen.values() if item[1].redrivable and now_ms - item[1].uploaded_at < DELETES_TOLD_MS
        ]
        out.print(f"{len(chosen)} rejects found, {len(sendable)} can be sent again")
        if dry_run or not sendable:
            return Status.OK
        async with settings.client() as client:
            outcomes = Counter([await _again(client, record, reject, timeout) for record, reject in sendable])
        for outcome, count in outcomes.most_common():
            out.print(f"  {outcome}: {count}")
        return Status.OK if outcomes.keys() <= {"indexed", "superseded", "deleted"} else Status.INCOMPLETE

    run(send)


async def _rejects(servers: Servers, topics: Topics) -> AsyncIterator[tuple[Record, Reject]]:
    """All rejects that are kept, oldest first in each partition."""
    async with Cluster(servers) as cluster:
        partitions = await cluster.partitions(topics.rejected)
    if not partitions:
        raise Failure(f"there is no topic {topics.rejected}: `afterimage topics` creates it")
    for partition in partitions:
        async for step in scan(servers, topics.rejected, partition):
            for record in step.records:
                if reject := read_reject(record.headers):
                    yield record, reject


async def _again(client: AfterimageClient, record: Record, reject: Reject, timeout_s: float) -> str:
    try:
        done = await client.wait_searchable(await client.redrive(record, reject), timeout_s=timeout_s)
    except UploadRejected as failure:
        return f"rejected again: {failure.reject.reason}"
    return str(done.receipt.effect)
