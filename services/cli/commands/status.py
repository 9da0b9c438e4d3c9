"""`afterimage status`: topics, lag, shards, positions, replicas."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import typer
from rich.filesize import decimal
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.running import out, run
from services.cli.settings import CliSettings
from shared.bus.cluster import Cluster
from shared.events.topics import Topics
from shared.index.statistics import ShardStatistics
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory, ReplicaReport, WriterReport
from shared.replication.log import LogHead
from shared.replication.redis_log import RedisLog

_WORKERS = ("extractor", "indexer", "searcher")
_PARTITIONS_SHOWN = 6


class TopicStatus(msgspec.Struct, frozen=True):
    """records: written so far, whether or not they are still kept. lag: what the topic's worker has not dealt with.

    waiting: the same by partition, those in which something waits. worker, lag: None where no worker of ours reads it.
    """

    topic: str
    partitions: int
    records: int
    worker: str | None
    lag: int | None
    waiting: dict[int, int]


class ShardStatus(msgspec.Struct, frozen=True):
    """end: the offset of the last feature record, -1 for none. head: how far the log in Redis is; None without one.

    writer: what the indexer that holds it said within the last minute; None where none did.
    """

    shard: int
    end: int
    head: int | None
    writer: WriterReport | None
    replicas: list[ReplicaReport]

    @property
    def agree(self) -> bool:
        """Whether all copies at one position hold the same."""
        by_position: dict[int, set[str]] = {}
        for replica in self.replicas:
            by_position.setdefault(replica.position, set()).add(replica.checksum)
        return all(len(checksums) == 1 for checksums in by_position.values())


class ServiceStatus(msgspec.Struct, frozen=True):
    topics: list[TopicStatus]
    shards: list[ShardStatus]


def status(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Show the topics, what waits in them, and how far every copy of every shard is.

    Ends with status 3 where copies at one position differ.
    """

    async def show(settings: CliSettings) -> Status:
        found = await read_status(settings)
        if as_json:
            out.print_json(msgspec.json.encode(found).decode())
        else:
            _print(found)
        return Status.OK if all(shard.agree for shard in found.shards) else Status.INCOMPLETE

    run(show)


async def read_status(settings: CliSettings) -> ServiceStatus:
    """Raises ClusterError, BusUnavailable, LogUnavailable, and Failure where there are no topics."""
    topics = Topics(settings.namespace)
    async with Cluster(settings.kafka, within_s=5) as cluster:
        consumed = dict(zip((topics.uploaded, topics.features, topics.requests), _WORKERS, strict=True))
        rows = []
        for spec in topics.specs(settings.partitions):
            worker = consumed.get(spec.name)
            rows.append(await _topic(cluster, spec.name, worker, topics.group(worker) if worker else None))
        ends = await cluster.end_offsets(topics.features)
    if not ends:
        raise Failure(f"there is no topic {topics.features}: `afterimage topics` creates it")
    async with connect(settings.redis) as redis:
        log = RedisLog(redis, namespace=settings.namespace)
        directory = ReplicaDirectory(redis, namespace=settings.namespace)
        return ServiceStatus(rows, await read_shards(log, directory, ends))


async def read_shards(log: RedisLog, directory: ReplicaDirectory, ends: Mapping[int, int]) -> list[ShardStatus]:
    """What Redis knows of the shards, `ends` being the offsets of their next records. Raises LogUnavailable."""
    return [
        ShardStatus(
            shard=shard,
            end=end - 1,
            head=_position(await log.head(shard)),
            writer=await directory.writer(shard),
            replicas=await directory.reports(shard),
        )
        for shard, end in sorted(ends.items())
    ]


async def _topic(cluster: Cluster, name: str, worker: str | None, group: str | None) -> TopicStatus:
    ends = await cluster.end_offsets(name)
    waiting = await _waiting(cluster, name, group, ends) if group else {}
    lag = sum(waiting.values()) if group else None
    return TopicStatus(name, len(ends), sum(ends.values()), worker, lag, waiting)


async def _waiting(cluster: Cluster, topic: str, name: str, ends: Mapping[int, int]) -> dict[int, int]:
    """Records that wait in each partition where some do, for the slowest of the groups of that name.

    Searchers have one for each set of shards. One that has committed nothing of what the topic still holds, while
    others have, has no members any more.
    """
    groups = await cluster.groups(name) or [name]
    firsts = await cluster.first_offsets(topic) if len(groups) > 1 else {}
    waiting: list[dict[int, int]] = []
    for group in groups:
        committed = await cluster.committed(group, topic)
        if all(committed.get(partition, 0) >= first for partition, first in firsts.items()):
            lags = {partition: end - committed.get(partition, 0) for partition, end in ends.items()}
            waiting.append({partition: lag for partition, lag in lags.items() if lag > 0})
    return max(waiting, key=lambda lags: sum(lags.values()), default={})


def _most_waiting(waiting: Mapping[int, int]) -> str:
    """Where most waits: partition, and how much."""
    most = sorted(waiting, key=lambda partition: -waiting[partition])
    shown = ", ".join(f"{partition}: {waiting[partition]}" for partition in most[:_PARTITIONS_SHOWN])
    return shown if len(most) <= _PARTITIONS_SHOWN else f"{shown}, …"


def _position(head: LogHead | None) -> int | None:
    return None if head is None else head.head


def _print(found: ServiceStatus) -> None:
    topics = Table("topic", "partitions", "records", "worker", "lag", "in partition", box=None, pad_edge=False)
    for row in found.topics:
        lag = "" if row.lag is None else str(row.lag)
        topics.add_row(
            row.topic, str(row.partitions), str(row.records), row.worker or "", lag, _most_waiting(row.waiting)
        )
    out.print(topics)
    out.print()
    shards = Table(
        "shard", "end", "log head", "replica", "state", "position", "images", "checksum", box=None, pad_edge=False
    )
    for shard in found.shards:
        first = (str(shard.shard), str(shard.end), _said(shard.head))
        for replica in shard.replicas:
            shards.add_row(
                *first,
                replica.replica,
                replica.state,
                str(replica.position),
                str(replica.rows),
                replica.checksum[:12] if shard.agree else f"[red]{replica.checksum[:12]}[/red]",
            )
            first = ("", "", "")
        if not shard.replicas:
            shards.add_row(*first, "none", "", "", "", "")
    out.print(shards)
    out.print()
    out.print(_sizes(found.shards))
    for shard in found.shards:
        if shard.writer and shard.writer.stored and shard.writer.stored.problem:
            out.print(f"[red]shard {shard.shard} cannot be sealed:[/red]", end=" ")
            out.print(shard.writer.stored.problem, soft_wrap=True, markup=False)


def _sizes(shards: Sequence[ShardStatus]) -> Table:
    """How large every copy of every shard is, the indexer's first, which alone knows of the store."""
    columns = ("shard", "copy", "images", "dead rows", "segments", "in memory", "mapped", "manifest", "in the store")
    sizes = Table(*columns, box=None, pad_edge=False)
    for shard in shards:
        copies: list[tuple[str, ShardStatistics]] = [(replica.replica, replica) for replica in shard.replicas]
        stored = ("", "")
        if shard.writer:
            copies.insert(0, (shard.writer.writer, shard.writer))
            if shard.writer.stored:
                stored = (_said(shard.writer.stored.position), _bytes(shard.writer.stored.bytes))
        for number, (name, copy) in enumerate(copies):
            sizes.add_row(
                str(shard.shard) if number == 0 else "",
                name,
                str(copy.rows),
                str(copy.dead_rows),
                str(copy.segments),
                _bytes(copy.memory_bytes),
                _bytes(copy.mapped_bytes),
                *(stored if number == 0 else ("", "")),
            )
    return sizes


def _said(position: int | None) -> str:
    return "none" if position is None else str(position)


def _bytes(size: int | None) -> str:
    return "none" if size is None else decimal(size)
