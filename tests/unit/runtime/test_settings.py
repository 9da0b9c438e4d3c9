"""A wrong variable stops the start with one sentence: its name, its value, and what would be right."""

import pytest
from pydantic_settings import BaseSettings

from services.extractor.settings import ExtractorSettings
from services.indexer.settings import IndexerSettings
from services.searcher.settings import SearcherSettings
from shared.runtime.settings import BadSettings, load, load_or_exit

WRONG = [
    (IndexerSettings, "KAFKA_BOOTSTRAP_SERVERS", "localhost", "host:port"),
    (IndexerSettings, "KAFKA_BOOTSTRAP_SERVERS", "a:1, b:2", "separated by commas"),
    (IndexerSettings, "REDIS_URL", "localhost:6379", "redis://host:port/db"),
    (IndexerSettings, "AFTERIMAGE_NAMESPACE", "a.b", "letters, digits, _ and -"),
    (IndexerSettings, "AFTERIMAGE_LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR"),
    (IndexerSettings, "AFTERIMAGE_LOG_FORMAT", "xml", "json"),
    (IndexerSettings, "INDEXER_HTTP_PORT", "70000", "less than or equal to 65535"),
    (IndexerSettings, "INDEXER_MAX_BATCH", "many", "integer"),
    (IndexerSettings, "INDEXER_LOG_WINDOW", "5", "greater than or equal to 1000"),
    (IndexerSettings, "INDEXER_RETENTION", "30x", "such as 30d"),
    (IndexerSettings, "KAFKA_SESSION_TIMEOUT_MS", "10", "greater than or equal to 6000"),
    (ExtractorSettings, "EXTRACTOR_MAX_IN_FLIGHT", "0", "greater than or equal to 1"),
    (ExtractorSettings, "EXTRACTOR_DRAIN_S", "-1", "greater than or equal to 0"),
    (ExtractorSettings, "EXTRACTOR_MAX_BATCH", "0", "greater than or equal to 1"),
    (ExtractorSettings, "AFTERIMAGE_FILE_ROOTS", "/no/such/folder", "not a folder"),
    (ExtractorSettings, "AFTERIMAGE_FETCH_PRIVATE", "perhaps", "true"),
    (SearcherSettings, "SEARCHER_NAME", "a b", "name"),
    (SearcherSettings, "SEARCHER_TIMEOUT_MS", "0", "greater than or equal to 1"),
]


@pytest.mark.parametrize(("settings", "variable", "value", "right"), WRONG)
def test_a_wrong_variable_gives_one_sentence(
    monkeypatch: pytest.MonkeyPatch, settings: type[BaseSettings], variable: str, value: str, right: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettings) as refused:
        load(settings)
    [sentence] = str(refused.value).splitlines()
    assert sentence.startswith(f"{variable}={value!r} cannot be used: ")
    assert right in sentence
    assert sentence.endswith(".")


def test_every_wrong_variable_gets_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEXER_HTTP_PORT", "none")
    monkeypatch.setenv("REDIS_URL", "none")
    with pytest.raises(BadSettings) as refused:
        load(IndexerSettings)
    assert {line.split("=")[0] for line in str(refused.value).splitlines()} == {"INDEXER_HTTP_PORT", "REDIS_URL"}


def test_a_password_in_a_wrong_address_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "http://default:s3cret@cache:6379")
    with pytest.raises(BadSettings) as refused:
        load(IndexerSettings)
    assert "s3cret" not in str(refused.value)
    assert "cache:6379" in str(refused.value)


def test_a_wrong_variable_ends_the_process_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INDEXER_HTTP_PORT", "none")
    with pytest.raises(SystemExit) as ended:
        load_or_exit(IndexerSettings)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("INDEXER_HTTP_PORT='none' cannot be used")


@pytest.mark.parametrize("settings", [ExtractorSettings, IndexerSettings, SearcherSettings])
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, settings: type[BaseSettings]) -> None:
    for variable in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "AFTERIMAGE_LOG_LEVEL"):
        monkeypatch.setenv(variable, "")
    assert load(settings) == settings.model_construct(**load(settings).model_dump())


def test_settings_do_not_change_once_they_are_read() -> None:
    settings = load(IndexerSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.max_batch = 3  # type: ignore[misc]


def test_variables_of_one_worker_are_nothing_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_HTTP_PORT", "1234")
    assert load(IndexerSettings).http_port != 1234
