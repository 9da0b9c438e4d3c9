"""A consumer group as its coordinator sees it, from what that writes to `__consumer_offsets` at each change."""

from dataclasses import dataclass
from io import BytesIO

from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.protocol.types import Array, Bytes, Int16, Int32, Int64, Schema, String

from shared.bus.cluster import Cluster
from shared.bus.scan import scan

_TOPIC = "__consumer_offsets"
_KEY = Schema(("version", Int16), ("group", String("utf-8")))
_OF_GROUPS = 2
_MEMBER = (
    ("member_id", String("utf-8")),
    ("instance_id", String("utf-8")),
    ("client_id", String("utf-8")),
    ("host", String("utf-8")),
    ("rebalance_timeout", Int32),
    ("session_timeout", Int32),
    ("subscription", Bytes),
    ("assignment", Bytes),
)
_VALUE = Schema(
    ("version", Int16),
    ("protocol_type", String("utf-8")),
    ("generation", Int32),
    ("protocol", String("utf-8")),
    ("leader", String("utf-8")),
    ("changed_at", Int64),
    ("members", Array(*_MEMBER)),
)


@dataclass(frozen=True, slots=True)
class GroupState:
    """generation: counts the rebalances. partitions: of each static member, by its instance id."""

    generation: int
    partitions: dict[str, set[int]]


async def group_state(bootstrap_servers: str, group: str) -> GroupState:
    """The group as it is now. Fails where there never was one."""
    async with Cluster(bootstrap_servers) as cluster:
        numbers = await cluster.partitions(_TOPIC)
    newest = None
    for number in numbers:
        async for step in scan(bootstrap_servers, _TOPIC, number):
            for record in step.records:
                if record.value and _KEY.decode(BytesIO(record.key)) == (_OF_GROUPS, group):
                    newest = record.value
    assert newest is not None, f"Kafka knows no group {group}"
    _, _, generation, *_, members = _VALUE.decode(BytesIO(newest))
    return GroupState(generation, {instance: _partitions(held) for _, instance, *_, held in members if instance})


def _partitions(assignment: bytes) -> set[int]:
    if not assignment:
        return set()
    return {part.partition for part in ConsumerProtocol.ASSIGNMENT.decode(assignment).partitions()}
