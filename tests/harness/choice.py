"""Which broker this test run uses, decided once, before the first test."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.harness.kafka import Broker, EmbeddedBroker, KafkaBroker
from tests.harness.kafka_jars import KafkaJarsMissingError, kafka_classpath


class KafkaRequiredError(Exception):
    """The run must be on Apache Kafka, and there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerChoice:
    """The kind of broker, and why it is not Apache Kafka where it is not."""

    make: Callable[[Path], Broker]
    durable: bool
    why_not_kafka: str = ""

    def warning(self) -> str:
        if self.durable:
            return ""
        return (
            "NOT ON APACHE KAFKA: these tests ran on the embedded broker, and those that need a durable log were "
            f"skipped. The reason: {self.why_not_kafka}. `make ci-tools` installs what is missing."
        )


def choose_broker() -> BrokerChoice:
    """Apache Kafka where Java and its jars can be had, else the embedded broker.

    raises KafkaRequiredError: with CI=true or AFTERIMAGE_REQUIRE_KAFKA=1 there is no else.
    """
    try:
        kafka_classpath()
    except KafkaJarsMissingError as missing:
        if _required():
            raise KafkaRequiredError(f"this run requires Apache Kafka: {missing}") from missing
        return BrokerChoice(make=EmbeddedBroker, durable=False, why_not_kafka=str(missing))
    return BrokerChoice(make=KafkaBroker, durable=True)


def _required() -> bool:
    return os.environ.get("CI") == "true" or os.environ.get("AFTERIMAGE_REQUIRE_KAFKA") == "1"
