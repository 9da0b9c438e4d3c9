"""Which shards a command is about, and what Kafka says of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.cli.failures import Failure, Status
from services.cli.settings import CliSettings
from shared.bus.cluster import Cluster
from shared.events.topics import Topics
from shared.replication.incarnation import incarnation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """incarnation: the log that their positions count in. first: shard → the offset of the oldest record that is kept.

    ends: shard → the offset that the next record will get.
    """

    incarnation: str
    first: Mapping[int, int]
    ends: Mapping[int, int]

    @property
    def numbers(self) -> list[int]:
        return sorted(self.ends)


async def chosen_shards(settings: CliSettings, chosen: Collection[int] | None) -> Shards:
    """The shards that were named; all that there are, where none was. Raises ClusterError, BusUnavailable, Failure."""
    topic = Topics(settings.namespace).features
    async with Cluster(settings.kafka, within_s=5) as cluster:
        first, ends = await cluster.first_offsets(topic), await cluster.end_offsets(topic)
        incarnation = incarnation_of(await cluster.id(), topic)
    if not ends:
        raise Failure(f"there is no topic {topic}: `afterimage topics` creates it")
    if unknown := set(chosen or ()) - ends.keys():
        raise Failure(f"there is no shard {min(unknown)}: they are 0 to {max(ends)}", Status.MISUSED)
    wanted = chosen or ends.keys()
    return Shards(
        incarnation=incarnation,
        first={shard: first[shard] for shard in wanted},
        ends={shard: ends[shard] for shard in wanted},
    )
