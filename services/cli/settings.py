"""Where the command line finds Kafka and Redis, from the same environment variables as the workers."""

from pydantic import Field

from services.cli.stack import EmbeddedStack
from shared.client import AfterimageClient
from shared.replication.store.settings import StoreSettings
from shared.runtime.settings import ServiceSettings, from_environment


class CliSettings(StoreSettings, ServiceSettings):
    model_config = from_environment("AFTERIMAGE_")

    partitions: int = Field(
        default=4, ge=1, le=10_000, description="shards to create, fixed for the life of the topics"
    )

    def of(self, stack: EmbeddedStack) -> "CliSettings":
        """These settings, with the servers of a running stack."""
        return CliSettings.model_validate({"AFTERIMAGE_NAMESPACE": self.namespace, **stack.environment})

    def client(self) -> AfterimageClient:
        """The client that these settings describe, not yet connected."""
        return AfterimageClient(
            self.kafka_bootstrap_servers,
            security=self.kafka.security,
            namespace=self.namespace,
            fetch_wait_ms=self.fetch_wait_ms,
        )
