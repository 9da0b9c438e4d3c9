"""Where the command line finds Kafka and Redis, from the same environment variables as the workers."""

from pydantic import Field

from shared.runtime.settings import WorkerSettings, from_environment


class CliSettings(WorkerSettings):
    model_config = from_environment("AFTERIMAGE_")

    partitions: int = Field(
        default=4, ge=1, le=10_000, description="shards to create, fixed for the life of the topics"
    )
