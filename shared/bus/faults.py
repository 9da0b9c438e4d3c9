"""What callers of the bus need to catch: aiokafka's many errors as one, and refusals as one of its kind."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from shared.wires.kafka import PLAINTEXT, KafkaServers
from shared.wires.refusal import Refused

NO_RIGHT = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
"""What aiokafka raises where Kafka knows us, and does not let us do what we ask."""


class BusUnavailable(Exception):
    """Kafka cannot be reached, or refuses; the text says what was tried. The same may work later."""


class BusRefused(BusUnavailable, Refused):
    """Kafka is there, and does not let us in, or does not let us do it."""


@contextmanager
def bus_faults(trying: str, servers: KafkaServers | None = None) -> Iterator[None]:
    """Turn what aiokafka raises inside into BusUnavailable, or BusRefused.

    trying: what is being done, for the message. servers: where, and as whom.
    """
    try:
        yield
    except NO_RIGHT as error:
        raise BusRefused(no_right(trying, error, servers)) from error
    except KafkaError as error:
        raise BusUnavailable(f"{trying}: {error or type(error).__name__}") from error


def no_right(trying: str, error: KafkaError, servers: KafkaServers | None) -> str:
    """The sentence for an error out of NO_RIGHT."""
    who = servers.security.who if servers and servers.security != PLAINTEXT else "us"
    where = f"Kafka at {servers}" if servers else "Kafka"
    return f"{trying}: {where} gives {who} no right to do that ({error}); deploy/kafka/acls.toml has who needs which"
