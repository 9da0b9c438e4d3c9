from pathlib import Path

import pytest

from services.gateway.settings import GatewaySettings
from shared.access.key_file import write_keys
from shared.runtime.settings import BadSettings, load


def test_the_gateway_listens_on_this_host_alone_unless_told_otherwise() -> None:
    settings = load(GatewaySettings)
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8084)


def test_a_wrong_value_is_named_with_what_would_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HTTP_PORT", "http")
    with pytest.raises(BadSettings, match=r"GATEWAY_HTTP_PORT='http' cannot be used: .*integer.*listen"):
        load(GatewaySettings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])  # noqa: S104 - it is refused
def test_the_gateway_does_not_start_open_where_others_reach_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("GATEWAY_HTTP_HOST", host)
    with pytest.raises(BadSettings, match=r"GATEWAY_OPEN=False cannot be used: others can reach .*GATEWAY_KEYS"):
        load(GatewaySettings)
    monkeypatch.setenv("GATEWAY_OPEN", "true")
    assert load(GatewaySettings).open


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_this_host_alone_no_keys_are_needed(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("GATEWAY_HTTP_HOST", host)
    assert load(GatewaySettings).keys is None


def test_with_keys_the_gateway_starts_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_HTTP_HOST", "0.0.0.0")  # noqa: S104 - with keys
    monkeypatch.setenv("GATEWAY_KEYS", str(tmp_path / "keys.json"))
    with pytest.raises(BadSettings, match=r"GATEWAY_KEYS=.*cannot be read: No such file"):
        load(GatewaySettings)
    write_keys(tmp_path / "keys.json", [])
    assert load(GatewaySettings).keys == tmp_path / "keys.json"


def test_origins_are_told_apart_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ALLOWED_ORIGINS", "https://a.org, http://b.org:8080")
    assert load(GatewaySettings).allowed_origins == ("https://a.org", "http://b.org:8080")
    monkeypatch.setenv("GATEWAY_ALLOWED_ORIGINS", "*")
    with pytest.raises(BadSettings, match=r"GATEWAY_ALLOWED_ORIGINS=.*is no origin"):
        load(GatewaySettings)


def test_names_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOSTNAMES", "images.example.org, gateway")
    assert load(GatewaySettings).hostnames == ("images.example.org", "gateway")


def test_a_secret_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_THUMBNAIL_SECRET", "sixteen letters!")
    assert "sixteen" not in repr(load(GatewaySettings))
    monkeypatch.setenv("GATEWAY_THUMBNAIL_SECRET", "short")
    with pytest.raises(BadSettings, match=r"GATEWAY_THUMBNAIL_SECRET=… cannot be used: .*16 characters") as refused:
        load(GatewaySettings)
    assert "short" not in str(refused.value)


def test_folders_of_images_are_separated_as_paths_are_and_must_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a,b").mkdir()
    monkeypatch.setenv("AFTERIMAGE_FILE_ROOTS", f"{tmp_path}:{tmp_path / 'a,b'}")
    assert load(GatewaySettings).file_roots == (tmp_path, tmp_path / "a,b")
    monkeypatch.setenv("AFTERIMAGE_FILE_ROOTS", str(tmp_path / "none"))
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_FILE_ROOTS=.*none is not a folder that can be read"):
        load(GatewaySettings)
