"""What callers of the bus need to catch: aiokafka's many errors as one."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError


class BusUnavailable(Exception):
    """Kafka cannot be reached, or refuses; the text says what was tried. The same may work later."""


@contextmanager
def bus_faults(trying: str) -> Iterator[None]:
    """Turn what aiokafka raises inside into BusUnavailable. trying: what is being done, for the message."""
    try:
        yield
    except KafkaError as error:
        raise BusUnavailable(f"{trying}: {error or type(error).__name__}") from error
