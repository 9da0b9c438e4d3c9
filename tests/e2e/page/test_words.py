"""Search by words, where the encoder has a text side: a CLIP model that nobody has trained, so any order will do."""

import re
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.page.visits import PATIENT_MS, Visit, serious
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.unit.encoders.clip.tiny import NAME, tiny_clip

KNOWING_IT = """
import runpy, sys, open_clip
open_clip.add_model_config({config!r})
sys.argv = sys.argv[-1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Runs a worker after open_clip has been told of the model, which is none of those that it knows."""


@pytest.fixture(scope="module")
def service(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("clip")
    weights = tiny_clip(folder)
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace="words",
        folder=folder,
        env={"AFTERIMAGE_ENCODER": NAME, "AFTERIMAGE_ENCODER_WEIGHTS": str(weights)},
        prefix=[sys.executable, "-c", KNOWING_IT.format(config=str(folder / "tiny.json"))],
    ) as service:
        yield service


def test_words_are_looked_for_and_the_address_keeps_them(visit: Visit) -> None:
    page = visit.page
    words = page.get_by_label("or words")
    expect(words).to_be_visible(timeout=PATIENT_MS)
    words.fill("a dam in the hills")
    page.keyboard.press("Enter")
    expect(page.locator("#results .card")).to_have_count(3, timeout=PATIENT_MS)
    expect(page).to_have_url(re.compile(r"\?text=a\+dam\+in\+the\+hills$"))
    assert serious(page) == []
    page.reload()
    expect(words).to_have_value("a dam in the hills")
    expect(page.locator("#results .card")).to_have_count(3, timeout=PATIENT_MS)
    page.get_by_role("button", name="Also like panda").click()
    expect(page.locator("#results .card")).to_have_count(2, timeout=PATIENT_MS)  # what is asked with is no hit
