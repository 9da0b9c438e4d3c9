"""From images to vectors: in order, each for itself, and never many at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.cli.embedding import Embedder
from services.cli.pictures import Picture, pictures
from services.cli.vector_files import Vector, VectorLayout
from shared.codes.f32 import F32
from shared.encoders.engine.engine import ExtractionPolicy
from shared.events.faults import PoisonInput, RejectReason
from tests.unit.encoders.fakes import MeanColour, engine_of

LAYOUT = VectorLayout(dtype=np.dtype(np.float32), dim=3, metadata={})
POLICY = ExtractionPolicy(max_batch=2, max_in_flight=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty images, each of another green, and two that cannot be had a vector of."""
    for number in range(20):
        Image.new("RGB", (8, 8), (0, 255, 10 * number)).save(tmp_path / f"{number:02}.png")
    (tmp_path / "07.png").write_bytes(b"no image")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "13.png")
    return tmp_path


class Results:
    def __init__(self) -> None:
        self.written: list[tuple[str, Vector]] = []
        self.failures: list[tuple[str, RejectReason]] = []

    def write(self, name: str, vector: Vector) -> None:
        self.written.append((name, vector))

    def failed(self, picture: Picture, fault: PoisonInput) -> None:
        self.failures.append((picture.name, fault.reason))


async def test_vectors_come_in_the_order_of_the_images_and_a_bad_one_costs_itself(folder: Path) -> None:
    results = Results()
    async with engine_of(MeanColour(), F32(), POLICY) as engine:
        await Embedder(engine, LAYOUT).embed(pictures([str(folder)]), results.write, results.failed)
    good = [number for number in range(20) if number not in {7, 13}]
    assert [Path(name).stem for name, _ in results.written] == [f"{number:02}" for number in good]
    for number, (_, vector) in zip(good, results.written, strict=True):
        colour = np.array([0, 255, 10 * number])
        assert vector == pytest.approx(colour / np.linalg.norm(colour), abs=1e-6)
    assert results.failures == [
        (str(folder / "07.png"), RejectReason.UNSUPPORTED_FORMAT),
        (str(folder / "13.png"), RejectReason.ENCODE_FAILED),
    ]


async def test_no_more_images_are_held_than_the_engine_takes_at_once(folder: Path) -> None:
    results, started = Results(), 0

    class Counted(Picture):
        def read(self, max_bytes: int) -> bytes:
            nonlocal started
            started += 1
            assert started - len(results.written) <= POLICY.max_in_flight
            return super().read(max_bytes)

    def many() -> Iterator[Picture]:
        for _ in range(30):
            yield Counted(str(folder / "01.png"))

    async with engine_of(MeanColour(), F32(), POLICY) as engine:
        await Embedder(engine, LAYOUT).embed(many(), results.write, results.failed)
    assert len(results.written) == 30


async def test_what_goes_wrong_with_the_file_ends_the_work(folder: Path) -> None:
    def full(name: str, vector: Vector) -> None:
        raise OSError(28, "No space left on device")

    async with engine_of(MeanColour(), F32(), POLICY) as engine:
        with pytest.raises(OSError, match="No space left"):
            await Embedder(engine, LAYOUT).embed(pictures([str(folder)]), full, Results().failed)
