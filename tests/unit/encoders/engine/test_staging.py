"""A batch reaches the device whole, and its codes come back in their order."""

import numpy as np
import pytest
import torch

from shared.codes.code import Code
from shared.codes.f32 import F32
from shared.codes.i8 import I8
from shared.encoders.engine.staging import BatchStage, fetch_rows
from shared.encoders.pixels.preprocessing import Pixels

CPU = torch.device("cpu")
SIDE = 4


def pictures(count: int, seed: int) -> list[Pixels]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 3, SIDE, SIDE), dtype=np.uint8))


def test_each_batch_is_loaded_as_it_is_whatever_was_there_before() -> None:
    stage = BatchStage(8, SIDE, CPU)
    for seed, count in enumerate((8, 1, 5, 8)):
        batch = pictures(count, seed)
        assert np.array_equal(stage.load(batch).numpy(), np.stack(batch))


def test_images_that_are_on_the_device_already_keep_their_places_among_the_others() -> None:
    stage = BatchStage(8, SIDE, CPU)
    batch = pictures(5, 1)
    for there in ({0, 1, 2, 3, 4}, {1, 2}, {4}):
        mixed = [torch.from_numpy(image) if at in there else image for at, image in enumerate(batch)]
        assert np.array_equal(stage.load(mixed).numpy(), np.stack(batch))


def test_the_memory_is_taken_once() -> None:
    stage = BatchStage(8, SIDE, CPU)
    assert stage.load(pictures(3, 1)).data_ptr() == stage.load(pictures(8, 2)).data_ptr()


def test_pixels_that_do_not_fit_are_not_stretched() -> None:
    stage = BatchStage(8, SIDE, CPU)
    for wrong in (pictures(9, 1), [np.zeros((3, SIDE, SIDE + 1), np.uint8)]):
        with pytest.raises(ValueError, match="shape"):
            stage.load(wrong)


@pytest.mark.parametrize("code", [I8(), F32()], ids=lambda code: code.name)
def test_codes_come_back_as_their_bytes_and_none_where_there_is_none(code: Code) -> None:
    vectors = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    found = fetch_rows(code.encode(vectors), torch.tensor([True, False, True]))
    expected = [row.numpy().tobytes() for row in code.encode(vectors)]
    assert found == [expected[0], None, expected[2]]
    assert len(expected[0]) == code.bytes_per_vector(5)
