"""`afterimage topics`: create the topics."""

from typing import Annotated

import typer

from services.cli.failures import Status
from services.cli.running import out, run
from services.cli.settings import CliSettings
from shared.bus.cluster import Cluster
from shared.events.topics import Topics
from shared.wires.kafka import Servers


def topics(
    partitions: Annotated[
        int | None,
        typer.Option(help="Shards to create; fixed for the life of the topics. Default: AFTERIMAGE_PARTITIONS, or 4."),
    ] = None,
    replication: Annotated[
        int | None, typer.Option(help="Copies that Kafka keeps. Default: 3, or as many as there are brokers.")
    ] = None,
) -> None:
    """Create the topics that do not exist yet, with the settings that they need."""

    async def create(settings: CliSettings) -> Status:
        created = await create_topics(
            settings.kafka, settings.namespace, partitions or settings.partitions, replication
        )
        out.print(f"created: {', '.join(created)}" if created else "all topics exist")
        return Status.OK

    run(create)


async def create_topics(servers: Servers, namespace: str, partitions: int, replication: int | None = None) -> list[str]:
    """Create what is missing; returns the names. Raises ClusterError, BusUnavailable."""
    async with Cluster(servers) as cluster:
        return await cluster.create_topics(Topics(namespace).specs(partitions), replication_factor=replication)
