"""What the cluster knows: its id, the topics, where they end, and how far the groups are."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from shared.bus.faults import bus_faults
from shared.bus.ungrouped import ungrouped_consumer
from shared.events.topics import TopicSpec
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_RETRY_S = 1.0
_CREATE_TIMEOUT_MS = 15_000
_COPIES = 3


class ClusterError(Exception):
    """Kafka refuses what is asked of it; the text says what and why."""


class Cluster:
    """An administrator's view of Kafka. Use as a context manager, which waits for a broker `within_s` seconds.

    Raises ClusterError on entering where none answers, and BusUnavailable from its methods.
    """

    def __init__(self, bootstrap_servers: str, *, within_s: float = 60.0) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._within_s = within_s
        self._admin: AIOKafkaAdminClient

    async def __aenter__(self) -> Self:
        deadline = asyncio.get_running_loop().time() + self._within_s
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap_servers)
            try:
                await admin.start()
                break
            except KafkaConnectionError as error:
                await admin.close()
                if asyncio.get_running_loop().time() > deadline:
                    raise ClusterError(
                        f"no Kafka broker answers at {self._bootstrap_servers} (waited {self._within_s:.0f} s): start "
                        "one, for example with `afterimage up`, or set KAFKA_BOOTSTRAP_SERVERS"
                    ) from error
                log.info("waiting_for_kafka", bootstrap_servers=self._bootstrap_servers)
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
        with bus_faults("creating topics"):
            response = await self._admin.create_topics(topics, timeout_ms=_CREATE_TIMEOUT_MS)
        created = []
        for name, code, *rest in response.topic_errors:
            error = for_code(code)
            if error is TopicAlreadyExistsError:
                continue
            if code != 0:
                raise ClusterError(f"the topic {name} cannot be created: {error.__name__} {rest[0] if rest else ''}")
            created.append(name)
        return created

    async def _brokers(self) -> int:
        with bus_faults("asking for the brokers"):
            return len((await self._admin.describe_cluster())["brokers"])

    async def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic; empty where it does not exist."""
        with bus_faults(f"looking for the topic {topic}"):
            described = await self._admin.describe_topics([topic])
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
        with bus_faults(f"asking for the end of {topic}"):
            async with ungrouped_consumer(self._bootstrap_servers) as reader:
                ends = await reader.end_offsets(parts) if parts else {}
        return {part.partition: offset for part, offset in ends.items()}

    async def first_offsets(self, topic: str) -> dict[int, int]:
        """Partition → the offset of the oldest record that is kept; that of the next one where none is."""
        parts = [TopicPartition(topic, number) for number in await self.partitions(topic)]
        with bus_faults(f"asking for the beginning of {topic}"):
            async with ungrouped_consumer(self._bootstrap_servers) as reader:
                firsts = await reader.beginning_offsets(parts) if parts else {}
        return {part.partition: offset for part, offset in firsts.items()}

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Partition → the offset of the next record for the group; only where it has committed one."""
        parts = [TopicPartition(topic, number) for number in await self.partitions(topic)]
        try:
            offsets = await self._admin.list_consumer_group_offsets(group, partitions=parts) if parts else {}
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
