"""`afterimage up` starts servers that ask nobody who they are, and is not taken for more."""

import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL"},
            "KAFKA_SECURITY_PROTOCOL=SSL is set, and the embedded broker speaks PLAINTEXT",
        ),
        ({"REDIS_PASSWORD": "s3cret"}, "a password for Redis is set, and the embedded Redis has none"),
    ],
)
@pytest.mark.parametrize("command", ["up", "demo"])
def test_embedded_servers_are_not_started_for_who_wants_secured_ones(
    monkeypatch: pytest.MonkeyPatch, command: str, variables: dict[str, str], told: str
) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = CliRunner().invoke(app, [command])
    assert ended.exit_code == 2, ended.output
    assert told in ended.output
    assert "s3cret" not in ended.output
