"""`afterimage demo`, as a newcomer runs it: on the embedded stack, with a folder of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.service import PHOTOS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_indexes_a_folder_and_every_query_finds_itself(tmp_path: Path) -> None:
    """Also: a file that is no image is rejected with its reason, and fails nothing else."""
    pictures = tmp_path / "pictures"
    shutil.copytree(PHOTOS / "fish", pictures / "fish")
    (pictures / "broken.jpg").write_bytes(b"this is no picture")
    sheet = tmp_path / "sheet.html"

    done = demo("--images", str(pictures), "--sheet", str(sheet), "--log", str(tmp_path / "demo.log"), "--queries", "3")

    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "demo.log").read_text()
    count = len(list((pictures / "fish").iterdir()))
    assert f"{count} indexed, 1 rejected" in done.stdout
    assert "unsupported_format: 1" in done.stdout
    assert "every query found itself first" in done.stdout
    html = sheet.read_text(encoding="utf-8")
    assert html.count('class="query"') == 3
    assert html.count("data:image/jpeg;base64,") > 3
    assert "http://" not in html
    assert "https://" not in html


def test_the_demo_refuses_a_folder_that_does_not_exist() -> None:
    done = demo("--images", "/nowhere")
    assert done.returncode == 2
    assert "/nowhere is not a folder" in done.stderr


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"}
    }
    return subprocess.run(
        [sys.executable, "-m", "services.cli", "demo", "--exit", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
