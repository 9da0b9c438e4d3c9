"""How we are let in: what goes together is taken, what does not is told in a sentence, and secrets stay so."""

import ssl
from pathlib import Path

import pytest
import trustme

from services.cli.settings import CliSettings
from services.extractor.settings import ExtractorSettings
from services.gateway.settings import GatewaySettings
from services.indexer.settings import IndexerSettings
from services.searcher.settings import SearcherSettings
from shared.runtime.settings import BadSettings, load

SASL = {"KAFKA_SASL_USERNAME": "afterimage.indexer", "KAFKA_SASL_PASSWORD": "s3cret-one"}
NO_FILE = "/no/such/file.pem"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """PEM files of an authority, of a certificate and of its key, and one that holds a password."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", common_name="afterimage.indexer")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "own.pem")
    issued.private_key_pem.write_to_path(tmp_path / "own.key")
    (tmp_path / "password").write_text("s3cret-two\n", encoding="utf-8")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    return {name: str(tmp_path / name) for name in ("ca.pem", "own.pem", "own.key", "password", "empty")}


WRONG = [
    ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL='TLS' cannot be used"),
    ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM='GSSAPI' cannot be used"),
    ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_SSL takes a user and a password: KAFKA_SASL_USERNAME"),
    ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "a"}, "SASL_SSL takes a user and a password"),
    (SASL, "KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use: SASL_SSL does"),
    ({**SASL, "KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_SECURITY_PROTOCOL=SSL does not use: SASL_SSL does"),
    ({"KAFKA_SSL_CA": "ca.pem"}, "KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use: SSL and SASL_SSL do"),
    ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA": NO_FILE}, f"KAFKA_SSL_CA='{NO_FILE}' cannot be used"),
    ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA": "password"}, "password holds no certificates of authorities"),
    ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERTIFICATE": "own.pem"}, "a certificate and its key go together"),
    (
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERTIFICATE": "own.pem", "KAFKA_SSL_KEY": "ca.pem"},
        "ca.pem are no certificate and its key",
    ),
    (
        {**SASL, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_PASSWORD_FILE": "password"},
        "KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set",
    ),
    (
        {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "a", "KAFKA_SASL_PASSWORD_FILE": "empty"},
        "empty is empty",
    ),
    ({"REDIS_USERNAME": "a"}, "REDIS_USERNAME takes REDIS_PASSWORD or REDIS_PASSWORD_FILE besides"),
    ({"REDIS_URL": "redis://a:s3cret@cache:6379", "REDIS_PASSWORD": "s3cret-one"}, "leave one away"),
    ({"REDIS_SSL_CA": "ca.pem"}, "which redis:// does not use: rediss:// does"),
    ({"REDIS_URL": "rediss://cache:6379", "REDIS_SSL_KEY": "own.key"}, "a certificate and its key go together"),
    ({"REDIS_PASSWORD_FILE": NO_FILE}, f"REDIS_PASSWORD_FILE='{NO_FILE}' cannot be used"),
]


@pytest.mark.parametrize(("variables", "told"), WRONG)
def test_what_does_not_go_together_stops_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], variables: dict[str, str], told: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, files.get(value, value))
    with pytest.raises(BadSettings) as refused:
        load(IndexerSettings)
    [sentence] = str(refused.value).splitlines()
    assert told in sentence
    assert sentence.endswith(".")
    assert "s3cret" not in sentence


@pytest.mark.parametrize(
    "settings", [ExtractorSettings, IndexerSettings, SearcherSettings, GatewaySettings, CliSettings]
)
def test_every_worker_and_the_command_line_take_a_user_a_password_in_a_file_and_certificates(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], settings: type[IndexerSettings]
) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_SASL_USERNAME", "afterimage.indexer")
    monkeypatch.setenv("REDIS_URL", "rediss://cache:6379/0")
    monkeypatch.setenv("REDIS_USERNAME", "afterimage.indexer")
    for server in ("KAFKA", "REDIS"):
        monkeypatch.setenv(f"{server}_SSL_CA", files["ca.pem"])
        monkeypatch.setenv(f"{server}_SSL_CERTIFICATE", files["own.pem"])
        monkeypatch.setenv(f"{server}_SSL_KEY", files["own.key"])
    monkeypatch.setenv("KAFKA_SASL_PASSWORD_FILE", files["password"])
    monkeypatch.setenv("REDIS_PASSWORD_FILE", files["password"])

    loaded = load(settings)

    options = loaded.kafka.options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "afterimage.indexer"
    assert options["sasl_plain_password"] == "s3cret-two"
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname
    assert [authority["subject"] for authority in options["ssl_context"].get_ca_certs()], "only the one that was named"
    assert len(options["ssl_context"].get_ca_certs()) == 1
    assert loaded.redis.options() == {
        "username": "afterimage.indexer",
        "password": "s3cret-two",
        "ssl_ca_certs": files["ca.pem"],
        "ssl_certfile": files["own.pem"],
        "ssl_keyfile": files["own.key"],
    }


def test_a_password_shows_in_none_of_the_values_that_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    for name, value in SASL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_PASSWORD", "s3cret-one")
    settings = load(IndexerSettings)
    assert settings.kafka.options()["sasl_plain_password"] == "s3cret-one"
    assert settings.redis.options()["password"] == "s3cret-one"
    for value in (settings, settings.kafka, settings.redis, settings.model_dump()):
        assert "s3cret" not in repr(value)
        assert "s3cret" not in str(value)


def test_a_password_in_the_address_of_redis_is_left_out_where_the_address_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://indexer:s3cret@cache:6380/1")
    redis = load(IndexerSettings).redis
    assert str(redis) == "rediss://cache:6380/1"
    assert redis.who == "the user indexer"


def test_nothing_is_shown_where_nothing_is_set() -> None:
    settings = load(IndexerSettings)
    assert settings.kafka.options() == {"bootstrap_servers": "localhost:9092"}
    assert settings.redis.options() == {}
