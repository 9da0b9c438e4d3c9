"""The image: linted, run by nobody in particular, and built from what the lock file names."""

import shutil
import subprocess
import sysconfig

import pytest

from tests.unit.deploy.files import DOCKERFILE, ROOT


def instructions(keyword: str) -> list[str]:
    lines = DOCKERFILE.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(keyword).strip() for line in lines if line.startswith(f"{keyword} ")]


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts")) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint has no wheel for this platform")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_runs_as_a_user_without_rights() -> None:
    assert instructions("USER")[-1] == "10001:10001"


def test_its_command_receives_signals_itself() -> None:
    """In the shell form, the shell would get SIGTERM and the worker nothing."""
    assert all(command.startswith("[") for command in instructions("CMD") + instructions("ENTRYPOINT"))


def test_packages_come_from_the_lock_file() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert "uv sync --locked --no-dev" in text
    assert "COPY pyproject.toml uv.lock ./" in text


def test_everything_that_it_copies_passes_the_ignore_file() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {source for copy in instructions("COPY") if not copy.startswith("--from") for source in copy.split()[:-1]}
    assert copied == kept
