"""Shards are written as numbers and ranges, and the same shards have the same name."""

import pytest

from services.searcher.settings import SearcherSettings
from services.searcher.shard_numbers import name_of, read_shards
from shared.runtime.settings import BadSettings, load


@pytest.mark.parametrize(
    ("text", "shards", "name"),
    [("0", {0}, "0"), ("0-3", {0, 1, 2, 3}, "0-3"), ("6, 3,0-1 ,2", {0, 1, 2, 3, 6}, "0-3_6"), ("5-5", {5}, "5")],
)
def test_numbers_and_ranges_are_read(text: str, shards: set[int], name: str) -> None:
    assert read_shards(text) == shards
    assert name_of(shards) == name


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "3-1", "1;2", "0-3-5"])
def test_what_names_no_shards_is_refused_in_a_sentence(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"shards are|before it begins"):
        read_shards(text)
    if text:
        monkeypatch.setenv("SEARCHER_SHARDS", text)
        with pytest.raises(BadSettings, match="SEARCHER_SHARDS"):
            load(SearcherSettings)


def test_searchers_of_the_same_shards_share_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(SearcherSettings).group == "searcher"
    for text in ("0-1,2", "2,1,0"):
        monkeypatch.setenv("SEARCHER_SHARDS", text)
        assert load(SearcherSettings).group == "searcher.0-2"
