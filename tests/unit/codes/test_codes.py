import numpy as np
import pytest
import torch

from shared.codes.code import Code
from shared.codes.f16 import F16
from shared.codes.f32 import F32
from shared.codes.i8 import I8
from shared.codes.registry import load_code


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def unit_vectors(rows: int, dim: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, dim, generator=torch.Generator().manual_seed(5)))


@pytest.mark.parametrize("name", ["f32", "f16", "i8"])
def test_a_code_is_found_by_its_name_and_keeps_its_promised_length(name: str) -> None:
    code: Code = load_code(name)
    rows = code.encode(unit_vectors(3, 10)).numpy()
    assert (code.name, code.dtype, code.metric) == (name, name, "cos")
    assert [len(row.tobytes()) for row in rows] == [code.bytes_per_vector(10)] * 3


def test_an_unknown_code_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="there is no code 'pq'; the codes are f16, f32, i8, and files"):
        load_code("pq")


def test_f32_keeps_every_bit() -> None:
    vectors = unit_vectors(4, 7)
    assert torch.equal(F32().encode(vectors), vectors)


@pytest.mark.parametrize("length", [1e-30, 1.0, 1e30])
def test_f16_keeps_the_direction_of_a_vector_of_any_length(length: float) -> None:
    vectors = unit_vectors(100, 1280)
    codes = F16().encode(vectors * length)
    assert codes.dtype is torch.float16
    assert torch.allclose(codes.float(), vectors, rtol=5e-4, atol=1e-6)


def test_f16_of_a_zero_vector_is_zero() -> None:
    assert F16().encode(torch.zeros(1, 3)).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("vector", "code"),
    [
        ([0.0, 1.0, -1.0, 0.5], [0, 127, -127, 64]),
        ([127.0, 0.5, 1.5, 2.5], [127, 0, 2, 2]),
        ([127.0, -0.5, -1.5, -2.5], [127, 0, -2, -2]),
        ([0.0, 0.0, 0.0, -1e-30], [0, 0, 0, -127]),
        ([0.0, 0.0, 0.0, 0.0], [0, 0, 0, 0]),
    ],
)
def test_i8_scales_the_peak_to_127_and_rounds_half_to_even(vector: list[float], code: list[int]) -> None:
    assert I8().encode(torch.tensor([vector])).tolist() == [code]


def test_i8_never_gives_minus_128_and_the_negative_has_the_negative_code() -> None:
    vectors = unit_vectors(200, 64)
    codes = I8().encode(vectors)
    assert codes.dtype is torch.int8
    assert codes.min() == -127
    assert torch.equal(I8().encode(-vectors), -codes)


def test_i8_keeps_the_direction() -> None:
    vectors = unit_vectors(100, 1280)
    cosines = torch.nn.functional.cosine_similarity(I8().encode(vectors).float(), vectors)
    assert cosines.min() > 0.9999


def test_i8_of_a_row_does_not_depend_on_the_other_rows() -> None:
    vectors = unit_vectors(5, 16) * torch.tensor([[1e-3], [1.0], [1e3], [1.0], [1.0]])
    alone = torch.cat([I8().encode(vector[None]) for vector in vectors])
    assert np.array_equal(I8().encode(vectors), alone)
