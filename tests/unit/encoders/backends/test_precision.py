"""`fast` computes in what is fastest on each host: near enough to be searched by another, and never beside `exact`."""

from collections.abc import Sequence
from itertools import permutations

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor, nn

from shared.codes.i8 import I8
from shared.encoders.backends.backend import on_backend, torch_half_formats
from shared.encoders.backends.openvino_conversion import OpenVinoNetwork
from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.backends.probes import EncoderDiffers, check_agreement, images_per_s
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.device import forbid_tf32
from shared.encoders.precision import NumberFormat
from shared.encoders.registry import load_encoder
from shared.encoders.settings import ExtractionSettings
from shared.runtime.settings import BadSettings, load
from tests.unit.encoders.fakes import MeanColour, engine_of
from tests.unit.encoders.photos import Photos, cross_recall

HALF: NumberFormat = "bf16"


@pytest.fixture(scope="module")
def in_half(encoder: CnnEncoder, network: OpenVinoNetwork, photos: Photos) -> list[Tensor]:
    """The vectors that hosts with bfloat16 give, by torch and by OpenVINO."""
    encoders = (encoder.computing_in(HALF), OpenVinoEncoder(encoder, network, HALF))
    return [one.encode(photos.images) for one in encoders]


def test_half_a_precision_changes_the_vector_of_a_photo_by_little(vectors: Tensor, in_half: Sequence[Tensor]) -> None:
    for found in in_half:
        assert found.dtype is torch.float32
        cosine = nn.functional.cosine_similarity(vectors, found)
        assert cosine.min() >= 0.995
        assert cosine.mean() >= 0.998


def test_hosts_of_one_fast_deployment_find_what_the_others_wrote(vectors: Tensor, in_half: Sequence[Tensor]) -> None:
    codes = [I8().encode(found) for found in (vectors, *in_half)]
    for queries, index in permutations(codes, 2):
        assert cross_recall(queries, index, 1) == 1  # each photo finds itself
        assert cross_recall(queries, index, 10) >= 0.96


def test_it_is_more_than_rounding(vectors: Tensor, in_half: Sequence[Tensor]) -> None:
    """Else precision would not have to be a part of the scheme. A CPU without bfloat16 computes in float32."""
    if torch_half_formats(torch.device("cpu")):
        for found in in_half:
            assert (I8().encode(vectors) != I8().encode(found)).float().mean() > 0.1


async def test_fast_and_exact_have_different_schemes() -> None:
    exact, fast = MeanColour(), MeanColour()
    fast.precision = "fast"
    assert engine_of(exact, I8()).scheme.fingerprint != engine_of(fast, I8()).scheme.fingerprint


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_fast_takes_what_was_measured_to_be_fastest_and_says_so(backend: str) -> None:
    with capture_logs() as logs:
        encoder = load_encoder("timm:test_resnet", device="cpu", backend=backend, precision="fast", random_seed=1)
    assert (encoder.backend, encoder.precision) == (backend, "fast")
    chosen = [line for line in logs if line["event"] == "number_format_chosen"]
    for line in chosen:  # where the CPU has a choice
        assert line["number_format"] == encoder.number_format
        rates = {name: rate for name, rate in line.items() if name.startswith("images_per_s_")}
        assert max(rates, key=rates.__getitem__) == f"images_per_s_{encoder.number_format}"
        assert len(rates) > 1
    assert chosen or encoder.number_format == "f32"


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_exact_measures_nothing(backend: str) -> None:
    with capture_logs() as logs:
        encoder = load_encoder("timm:test_resnet", device="cpu", backend=backend, random_seed=1)
    assert (encoder.precision, encoder.number_format, logs) == ("exact", "f32", [])


def test_a_format_that_loses_the_vector_is_not_taken(encoder: CnnEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as float16, where a network has values beyond 65,504."""
    half = encoder.computing_in("f16")
    monkeypatch.setattr(half, "encode", lambda images: torch.full((len(images), encoder.dim), torch.nan))
    with pytest.raises(EncoderDiffers, match="the vectors of torch in f16 for efficientnet_lite0 differ"):
        check_agreement(encoder, half)

    broken = load_encoder("timm:test_resnet", device="cpu", backend="torch", precision="fast", random_seed=1)
    assert isinstance(broken, CnnEncoder)
    monkeypatch.setattr(broken, "computing_in", lambda _: half)
    monkeypatch.setattr("shared.encoders.backends.backend.torch_half_formats", lambda _: ["f16"])
    with capture_logs() as logs:
        assert on_backend("torch", broken) is broken
    assert [(line["event"], line["number_format"]) for line in logs] == [("number_format_unavailable", "f16")]


def test_a_rate_is_the_median_of_a_few_batches() -> None:
    encoder = MeanColour()
    times = iter([0, 1, 1, 3, 3, 4, 4, 104, 104, 106])
    assert images_per_s(encoder, clock=lambda: float(next(times))) == 4
    assert set(encoder.batches) == {8}


def test_a_gpu_is_tried_in_the_half_precisions_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    for has_bfloat16, formats in ((True, ["bf16", "f16"]), (False, ["f16"])):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation, has=has_bfloat16: has)
        assert torch_half_formats(cuda) == formats


def test_exact_leaves_no_convolution_to_tf32() -> None:
    forbid_tf32()
    assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"


def test_an_unknown_precision_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_PRECISION", "half")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_PRECISION='half' cannot be used: .*'exact' or 'fast'"):
        load(ExtractionSettings)
