"""A short run of the fuzz targets without the fuzzer, the same every time."""

import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice

import pytest

from tests.fuzz.seeds import event_seeds, image_seeds
from tests.fuzz.targets import decode_image, read_upload

INPUTS = 2000


def damaged(seed: bytes, chance: random.Random) -> bytes:
    """The seed with a few bytes changed, left out or said twice."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                del data[at : at + chance.randint(1, 4)]
            case _:
                data[at:at] = data[at : at + chance.randint(1, 16)]
        data = data or bytearray(1)
    return bytes(data)


@pytest.mark.filterwarnings("ignore")  # what libraries say about damaged images
@pytest.mark.parametrize(("target", "seeds"), [(decode_image, image_seeds), (read_upload, event_seeds)])
def test_a_damaged_input_is_rejected_and_nothing_else(
    target: Callable[[bytes], None], seeds: Callable[[], Iterator[bytes]]
) -> None:
    chance = random.Random(0)  # noqa: S311 -- the same inputs in every run
    for seed in islice(cycle(seeds()), INPUTS):
        target(damaged(seed, chance))
