import pytest

from services.gateway.settings import GatewaySettings
from shared.runtime.settings import BadSettings, load


def test_the_gateway_listens_on_this_host_alone_unless_told_otherwise() -> None:
    settings = load(GatewaySettings)
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8084)


def test_a_wrong_value_is_named_with_what_would_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HTTP_PORT", "http")
    with pytest.raises(BadSettings, match=r"GATEWAY_HTTP_PORT='http' cannot be used: .*integer.*listen"):
        load(GatewaySettings)
