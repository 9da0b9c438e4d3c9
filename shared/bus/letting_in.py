"""Why no broker lets us in: aiokafka says no more than that none did."""

import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.bus.faults import BusRefused, BusUnavailable
from shared.wires.kafka import KafkaServers
from shared.wires.refusal import causes, tls_refusal

_WITHIN_MS = 5_000


async def not_let_in(servers: KafkaServers) -> BusUnavailable:
    """Knock once more at every broker, after none let us in, and tell what they say: BusRefused where that is a no."""
    last = f"no Kafka broker at {servers} let us in, but now one does"
    for host, port in servers.pairs:
        options = servers.security.options()
        try:
            connection = await create_conn(host, port, request_timeout_ms=_WITHIN_MS, **options)
            try:
                await connection.send(MetadataRequest([]))  # who should have named a user hears so only now
            finally:
                connection.close()
        except (OSError, KafkaError, TimeoutError) as error:
            if told := _told(error, servers):
                return BusRefused(f"Kafka at {host}:{port} {told}")
            last = _guessed(error, servers)
    return BusUnavailable(last)


def _told(error: BaseException, servers: KafkaServers) -> str | None:
    """What a broker refused, and what to do; None where it may be there later."""
    security = servers.security
    for cause in causes(error):
        match cause:
            case SaslAuthenticationFailed():
                return (
                    f"does not let {security.who} in, by {security.mechanism}: KAFKA_SASL_USERNAME or "
                    f"KAFKA_SASL_PASSWORD is wrong ({cause})"
                )
            case UnsupportedSaslMechanismError():
                return f"does not take KAFKA_SASL_MECHANISM={security.mechanism} ({cause})"
            case IllegalSaslStateError():
                return f"takes no users there: KAFKA_SECURITY_PROTOCOL={security.protocol} is not what it listens for"
            case ssl.SSLError():
                return tls_refusal(cause, server="KAFKA", address="KAFKA_BOOTSTRAP_SERVERS")
    return None


def _guessed(error: BaseException, servers: KafkaServers) -> str:
    if isinstance(error, KafkaError):
        return (
            f"Kafka at {servers} closes the connection ({error}): does it listen for "
            f"KAFKA_SECURITY_PROTOCOL={servers.security.protocol}?"
        )
    return f"no Kafka broker answers at {servers} ({error or type(error).__name__})"
