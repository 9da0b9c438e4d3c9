"""Which shards a command is about."""

from collections.abc import Collection, Sequence

from services.cli.failures import Failure, Status
from services.cli.settings import CliSettings
from shared.bus.cluster import Cluster
from shared.events.topics import Topics


async def chosen_shards(settings: CliSettings, chosen: Collection[int] | None) -> Sequence[int]:
    """The shards that were named; all that there are, where none was. Raises ClusterError, BusUnavailable, Failure."""
    topic = Topics(settings.namespace).features
    async with Cluster(settings.kafka_bootstrap_servers, within_s=5) as cluster:
        shards = await cluster.partitions(topic)
    if not shards:
        raise Failure(f"there is no topic {topic}: `afterimage topics` creates it")
    if unknown := set(chosen or ()) - set(shards):
        raise Failure(f"there is no shard {min(unknown)}: they are {shards[0]} to {shards[-1]}", Status.MISUSED)
    return sorted(chosen) if chosen else shards
