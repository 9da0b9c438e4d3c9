"""The page for operators names metrics and commands that exist."""

import re

from docs.generate import HERE
from services.cli.__main__ import app
from tests.unit.deploy.test_dashboards import DECLARED

PAGE = (HERE / "operations.md").read_text(encoding="utf-8")


def test_every_metric_on_the_page_is_exported() -> None:
    named = set(re.findall(r"`(afterimage_\w+)`", PAGE))
    assert len(named) > 10
    assert named - DECLARED.keys() == set()


def test_every_command_on_the_page_is_one_of_the_command_line() -> None:
    named = set(re.findall(r"afterimage ([a-z]+)\b", "\n".join(re.findall(r"`[^`]+`|\$ .*", PAGE))))
    assert named >= {"status", "verify", "compact", "snapshot", "restore", "up"}
    assert named - {command.callback.__name__ for command in app.registered_commands if command.callback} == set()
