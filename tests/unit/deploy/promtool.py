"""Prometheus' own judge of its files."""

import shutil
import subprocess
from pathlib import Path

import pytest

_PATIENCE_S = 240
"""The cases of the alerts take it ten seconds of processor time."""


def promtool(*arguments: str | Path) -> None:
    """Run it; what it objects to fails the test."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("needs promtool, which comes with prometheus: `make ci-tools` installs it")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
