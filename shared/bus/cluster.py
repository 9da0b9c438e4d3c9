"""What the cluster knows: its id, the topics, where they end, and how far the groups are."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from shared.bus.faults import NO_RIGHT, BusRefused, bus_faults, no_right
from shared.bus.letting_in import not_let_in
from shared.bus.ungrouped import ungrouped_consumer
from shared.events.topics import TopicSpec
from shared.runtime.logging import get_logger
from shared.wires.kafka import Servers, kafka_servers

log = get_logger(__name__)

_RETRY_S = 1.0
_CREATE_TIMEOUT_MS = 15_000
_COPIES = 3


class ClusterError(Exception):
    """Kafka refuses what is asked of it; the text says what and why."""


class Cluster:
    """An administrator's view of Kafka. Use as a context manager, which waits for a broker `within_s` seconds.

    Raises ClusterError on entering where none answers, BusRefused where one does not let us in, and BusUnavailable from
    its methods.
    """

    def __init__(self, servers: Servers, *, within_s: float = 60.0) -> None:
        self._servers = kafka_servers(servers)
        self._within_s = within_s
        self._admin: AIOKafkaAdminClient

    async def __aenter__(self) -> Self:
        deadline = asyncio.get_running_loop().time() + self._within_s
        while True:
            admin = AIOKafkaAdminClient(**self._servers.options())
            try:
                await admin.start()
                break
            except KafkaConnectionError as error:
                await admin.close()
                reason = await not_let_in(self._servers)
                if isinstance(reason, BusRefused):
                    raise reason from error
                if asyncio.get_running_loop().time() > deadline:
                    raise ClusterError(
                        f"{reason} (waited {self._within_s:.0f} s): start a broker, for example with `afterimage up`, "
                        "or set KAFKA_BOOTSTRAP_SERVERS"
                    ) from error
                log.info("waiting_for_kafka", bootstrap_servers=str(self._servers), reason=str(reason))
                await asyncio.sleep(_RETRY_S)
        self._admin = admin
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._admin.close()

    async def id(self) -> str:
        """The cluster's id: another cluster behind the same address has another."""
        with bus_faults("asking for the cluster's id"):
            return str((await self._admin.describe_cluster())["cluster_id"])

    async def create_topics(self, specs: Iterable[TopicSpec], *, replication_factor: int | None = None) -> list[str]:
        """Create the topics that do not exist; returns their names. Raises ClusterError.

        replication_factor: copies that Kafka keeps; three, or as many as there are brokers, where nothing is said.
        """
        copies = replication_factor or min(_COPIES, await self._brokers())
        topics = [
            NewTopic(
                name=spec.name,
                num_partitions=spec.partitions,
                replication_factor=copies,
                topic_configs=dict(spec.config),
            )
            for spec in specs
        ]
        with bus_faults("creating topics", self._servers):
            response = await self._admin.create_topics(topics, timeout_ms=_CREATE_TIMEOUT_MS)
        created = []
        for name, code, *rest in response.topic_errors:
            error = for_code(code)
            if error is TopicAlreadyExistsError:
                continue
            if error in NO_RIGHT:
                raise BusRefused(no_right(f"creating the topic {name}", error(name), self._servers))
            if code != 0:
                raise ClusterError(f"the topic {name} cannot be created: {error.__name__} {rest[0] if rest else ''}")
            created.append(name)
        return created

    async def _brokers(self) -> int:
        with bus_faults("asking for the brokers"):
            return len((await self._admin.describe_cluster())["brokers"])

    async def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic; empty where it does not exist. Raises BusRefused where we may not know that."""
        with bus_faults(looking := f"looking for the topic {topic}", self._servers):
            described = await self._admin.describe_topics([topic])
            for info in described:
                if (error := for_code(info["error_code"])) in NO_RIGHT:
                    raise BusRefused(no_right(looking, error(topic), self._servers))
        return sorted(part["partition"] for info in described for part in info["partitions"] if not info["error_code"])

    async def wait_for_topic(self, topic: str) -> list[int]:
        """The partitions of a topic, once it exists."""
        while not (found := await self.partitions(topic)):
            log.info("waiting_for_topic", topic=topic, hint="`afterimage topics` creates the topics")
            await asyncio.sleep(_RETRY_S)
        return found

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Partition → the offset that the next record will get."""
        parts = [TopicPartition(topic, number) for number in await self.partitions(topic)]
        with bus_faults(f"asking for the end of {topic}", self._servers):
            async with ungrouped_consumer(self._servers) as reader:
                ends = await reader.end_offsets(parts) if parts else {}
        return {part.partition: offset for part, offset in ends.items()}

    async def first_offsets(self, topic: str) -> dict[int, int]:
        """Partition → the offset of the oldest record that is kept; that of the next one where none is."""
        parts = [TopicPartition(topic, number) for number in await self.partitions(topic)]
        with bus_faults(f"asking for the beginning of {topic}", self._servers):
            async with ungrouped_consumer(self._servers) as reader:
                firsts = await reader.beginning_offsets(parts) if parts else {}
        return {part.partition: offset for part, offset in firsts.items()}

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Partition → the offset of the next record for the group; only where it has committed one."""
        parts = [TopicPartition(topic, number) for number in await self.partitions(topic)]
        try:
            offsets = await self._admin.list_consumer_group_offsets(group, partitions=parts) if parts else {}
        except NO_RIGHT as error:
            raise BusRefused(no_right(f"asking how far {group} is", error, self._servers)) from error
        except KafkaError:  # no coordinator yet: a group that never was
            return {}
        return {part.partition: found.offset for part, found in offsets.items() if found.offset >= 0}

    async def groups(self, name: str) -> list[str]:
        """The consumer groups of that name, and those whose name begins so before a dot; with members or without."""
        try:
            known = [group for group, *_ in await self._admin.list_consumer_groups()]
        except KafkaError:  # a broker that cannot tell
            return []
        return sorted(group for group in known if group == name or group.startswith(f"{name}."))
