from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.encoders.device import configure_threads


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two spinning OpenMP threads on busy cores are many times slower than one."""
    configure_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of eight pictures that differ in colour, a picture that is there twice, and a file that is none."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    for label, colour in {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}.items():
        (root / label).mkdir()
        for number in range(8):
            noise = random.integers(-40, 40, (72, 80, 3))
            Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(
                root / label / f"{number}.png"
            )
    (root / "blue" / "again.png").write_bytes((root / "blue" / "0.png").read_bytes())
    (root / "red" / "broken.png").write_bytes((root / "red" / "0.png").read_bytes()[:100])
    return root
