"""The generated documents say what the code says."""

import json
from pathlib import Path

import pytest

from docs.generate import HERE, documents
from shared.events.topics import Topics

GENERATED = dict(documents())


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(Path(path).relative_to(HERE.parent)))
def test_a_generated_document_is_as_make_docs_would_write_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run `make docs`"


@pytest.mark.parametrize(
    ("worker", "topics"),
    [
        ("extractor", {Topics().uploaded, Topics().features, Topics().rejected}),
        ("indexer", {Topics().features, Topics().indexed}),
        ("searcher", {Topics().requests, Topics().replies}),
    ],
)
def test_an_asyncapi_document_names_all_topics_of_its_worker(worker: str, topics: set[str]) -> None:
    document = json.loads(GENERATED[HERE / "asyncapi" / f"{worker}.json"])
    addresses = {channel["address"].split(":")[0] for channel in document["channels"].values()}
    assert topics <= addresses
