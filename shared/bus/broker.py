"""FastStream's broker as a worker uses it: it starts late, and never fails in silence."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from prometheus_client import CollectorRegistry

from shared.bus.contracts import Contract
from shared.bus.faults import NO_RIGHT, no_right
from shared.bus.prompt import consume_promptly
from shared.runtime.health import Flag
from shared.runtime.logging import get_logger
from shared.runtime.server import Stop
from shared.runtime.settings import BadSettings
from shared.wires.kafka import KafkaSecurity, Servers, kafka_servers
from shared.wires.refusal import Refused

log = get_logger(__name__)


class WorkerBroker(KafkaBroker):
    """Joins the consumer groups only when the worker can do the work, and stops the worker when it cannot join.

    FastStream itself would leave a process up that consumes nothing.
    """

    def __init__(self, servers: Servers, *, name: str, stop: Stop, registry: CollectorRegistry) -> None:
        super().__init__(
            kafka_servers(servers).addresses.split(","),
            security=as_faststream_has_it(kafka_servers(servers).security),
            client_id=f"afterimage-{name}",
            consumer_only=True,  # records are produced by RecordProducer, which waits for the acknowledgement
            allow_auto_create_topics=False,
            graceful_timeout=None,  # a worker drains its own work before the broker stops
            logger=None,
            apply_types=False,  # nothing is injected into our handlers, and looking for it costs two hops to a thread
            middlewares=[KafkaPrometheusMiddleware(registry=registry, app_name=f"afterimage-{name}")],
        )
        self.ready = Flag("the worker is starting: it connects, and loads what it works with")
        self.prepare: Callable[[], Awaitable[None]] | None = None
        self._stop_worker = stop
        self._servers = kafka_servers(servers)

    def declare_output(self, topic: str, contract: Contract) -> None:
        """Name a topic that the worker writes to in its AsyncAPI document."""
        self.publisher(topic, schema=contract.annotation(), description=contract.description)

    def fail(self, what: str) -> None:
        """End the worker for the exception that is being handled."""
        log.critical("worker_failed", what=what, exc_info=sys.exc_info())
        self._stop_worker()

    def _refused(self, error: KafkaError) -> None:
        self._stop_worker.because(no_right("consuming", error, self._servers))

    async def start(self) -> None:
        try:
            if self.prepare:
                await self.prepare()
            self.ready.clear("the worker joins its consumer group")
            await self.connect()
            consume_promptly(self, self._refused)
            await super().start()
        except (BadSettings, Refused) as error:
            self._stop_worker.because(str(error))
        except NO_RIGHT as error:
            self._refused(error)
        except Exception:  # noqa: BLE001 - whatever it is, a worker that cannot start must end
            self.fail("the worker cannot start")
        else:
            self.ready.set()
            log.info("worker_started")
            return
        await asyncio.Event().wait()  # until the server, which was told to stop, cancels this


def as_faststream_has_it(security: KafkaSecurity) -> BaseSecurity | None:
    """None where nothing is shown."""
    context = security.tls.context() if security.uses_tls else None
    if not security.uses_sasl or security.password is None:
        return BaseSecurity(ssl_context=context) if context else None
    kind = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}[security.mechanism]
    return kind(security.username, security.password.get_secret_value(), ssl_context=context)
