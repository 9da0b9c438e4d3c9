"""FastStream's consumers show to Kafka what all other clients show."""

from pathlib import Path

import pytest
import trustme
from faststream.kafka.security import parse_security
from pydantic import SecretStr

from shared.bus.broker import as_faststream_has_it
from shared.wires.kafka import PLAINTEXT, KafkaSecurity, Mechanism, Protocol
from shared.wires.tls import TlsFiles


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    folder = tmp_path_factory.mktemp("tls")
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    return TlsFiles(ca=Path(folder / "ca.pem"))


def shown(security: KafkaSecurity) -> dict[str, object]:
    return {name: value for name, value in parse_security(as_faststream_has_it(security)).items() if value is not None}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
def test_a_user_is_shown_alike(protocol: Protocol, mechanism: Mechanism, tls: TlsFiles) -> None:
    security = KafkaSecurity(
        protocol=protocol,
        mechanism=mechanism,
        username="afterimage.indexer",
        password=SecretStr("s3cret"),
        tls=tls if protocol == "SASL_SSL" else TlsFiles(),
    )
    assert shown(security) == security.options()
    assert security.options()["sasl_mechanism"] == mechanism


def test_a_certificate_is_shown_alike(tls: TlsFiles) -> None:
    security = KafkaSecurity(protocol="SSL", tls=tls)
    assert shown(security) == security.options()
    assert security.options()["ssl_context"] is tls.context()


def test_nothing_is_shown_where_nothing_is_asked_for() -> None:
    assert shown(PLAINTEXT) == PLAINTEXT.options() == {}
