"""Reads a shard's whole history and its copies' reports, and compares them."""

from collections.abc import AsyncIterator

from services.cli.failures import Failure
from services.cli.running import err
from services.cli.settings import CliSettings
from shared.bus.cluster import Cluster
from shared.bus.history import FeatureHistory
from shared.events.topics import Topics
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.incarnation import incarnation_of
from shared.replication.replica import HistoryUnavailable
from shared.replication.verification import Truth, Verified


async def verify_all(settings: CliSettings) -> AsyncIterator[list[Verified]]:
    """The verdicts on all copies of one shard after another.

    Raises ClusterError, LogUnavailable, and Failure where there are no topics, or Kafka cannot be read.
    """
    topics = Topics(settings.namespace)
    async with Cluster(settings.kafka, within_s=5) as cluster:
        ends = await cluster.end_offsets(topics.features)
        incarnation = incarnation_of(await cluster.id(), topics.features)
    if not ends:
        raise Failure(f"there is no topic {topics.features}: `afterimage topics` creates it")
    history = FeatureHistory(settings.kafka, topics.features)
    async with connect(settings.redis) as redis:
        directory = ReplicaDirectory(redis, namespace=settings.namespace)
        for shard, end in sorted(ends.items()):
            with err.status(f"shard {shard}: reading {end} offsets from Kafka") as shown:

                def show(position: int, shard: int = shard, end: int = end) -> None:
                    shown.update(f"shard {shard}: {position + 1} of {end} offsets read")

                truth = Truth(shard, history, incarnation=incarnation, progress=show)
                try:
                    await truth.read_on()
                    copies = await directory.reports(shard)
                    await truth.read_on()  # what the copies had meanwhile
                except HistoryUnavailable as error:
                    raise Failure(str(error)) from error
            yield [truth.judge(copy) for copy in copies]
