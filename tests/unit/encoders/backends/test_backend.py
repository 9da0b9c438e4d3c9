"""Which backend computes an encoder, and what happens where OpenVINO cannot."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor, nn

from shared.encoders.backends.backend import on_backend
from shared.encoders.backends.openvino_package import OpenVinoUnavailable
from shared.encoders.cnn.encoder import Backbone, CnnEncoder
from shared.encoders.engine.opening import load_models
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.registry import load_encoder
from shared.encoders.settings import ExtractionSettings
from shared.encoders.weights import random_weights
from shared.runtime.settings import BadSettings, load


class ByFunction(nn.Module):
    """A network without weights."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.forward = function


def mean_colour(values: Tensor) -> Tensor:
    return values.mean(dim=(2, 3))


def of_no_known_operation(values: Tensor) -> Tensor:
    return torch.special.bessel_j0(values.mean(dim=(2, 3)))


def outside_of_torch(values: Tensor) -> Tensor:
    """A trace takes what numpy returns for a constant."""
    return torch.from_numpy(values.mean(dim=(2, 3)).numpy() ** 8)


def encoder_of(function: Callable[[Tensor], Tensor]) -> CnnEncoder:
    backbone = Backbone(
        module=ByFunction(function),
        dim=3,
        preprocessing=Preprocessing(
            crop=8, resize=8, interpolation="bilinear", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
        ),
        classifier=(),
    )
    return CnnEncoder(function.__name__, backbone, random_weights(backbone.module), torch.device("cpu"))


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """To import a module whose entry is None fails as if it were not installed."""
    monkeypatch.setitem(sys.modules, "openvino", None)


def test_a_cpu_runs_openvino_unless_torch_is_asked_for() -> None:
    reference = encoder_of(mean_colour)
    assert on_backend("auto", reference).backend == "openvino"
    assert on_backend("openvino", reference).backend == "openvino"
    assert on_backend("torch", reference) is reference
    assert reference.backend == "torch"


@pytest.mark.usefixtures("no_openvino")
def test_where_openvino_is_not_installed_torch_runs_without_a_word() -> None:
    reference = encoder_of(mean_colour)
    with capture_logs() as logs:
        assert on_backend("auto", reference) is reference
    assert logs == []


@pytest.mark.usefixtures("no_openvino")
def test_who_asks_for_openvino_is_told_that_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_BACKEND", "openvino")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_BACKEND='openvino' cannot be used: .*afterimage\[openvino\]"):
        load_models(load(ExtractionSettings))


def test_an_unknown_backend_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_BACKEND", "abacus")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_BACKEND='abacus' cannot be used: .*'torch' or 'openvino'"):
        load(ExtractionSettings)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (of_no_known_operation, "No conversion rule found for operations: aten::special_bessel_j0"),
        (outside_of_torch, "for outside_of_torch differ from torch's in f32: their cosine is 0."),
    ],
)
def test_a_model_that_openvino_cannot_run_is_left_to_torch_with_a_warning_or_refused(
    function: Callable[[Tensor], Tensor], reason: str
) -> None:
    reference = encoder_of(function)
    with capture_logs() as logs:
        assert on_backend("auto", reference) is reference
    [warning] = logs
    assert (warning["event"], warning["log_level"], warning["backend"]) == ("openvino_unavailable", "warning", "torch")
    assert reason in warning["reason"]
    with pytest.raises(OpenVinoUnavailable, match=reason):
        on_backend("openvino", reference)


def test_other_devices_are_left_to_torch() -> None:
    reference = encoder_of(mean_colour)
    reference.device = torch.device("cuda:1")
    assert on_backend("auto", reference) is reference
    with pytest.raises(OpenVinoUnavailable, match="OpenVINO computes on the CPU here, not on cuda:1"):
        on_backend("openvino", reference)


def test_who_asks_for_openvino_and_for_no_device_gets_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert load_encoder("timm:test_resnet", backend="openvino", random_seed=1).device.type == "cpu"


def run(program: str) -> str:
    """What a program prints in a process of its own, in which a warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    ).stdout


def test_openvino_is_imported_for_its_own_backend_only_and_may_be_missing() -> None:
    program = """
import sys
from shared.encoders.registry import load_encoder
load_encoder("efficientnet_lite0", backend="torch")
print([name for name in sys.modules if name.startswith("openvino")])
sys.modules["openvino"] = None
print(load_encoder("efficientnet_lite0").backend)
"""
    assert run(program) == "[]\ntorch\n"


def test_the_default_encoder_brings_nothing_that_takes_seconds_to_import() -> None:
    """Every worker would pay for it at every start."""
    program = """
import sys
from shared.encoders.engine.opening import load_encoder
load_encoder("efficientnet_lite0", backend="openvino")
print({"timm", "torchvision", "torch._dynamo", "sympy"} & set(sys.modules))
"""
    assert run(program) == "set()\n"


def test_a_process_in_which_tracing_would_never_end_is_told_so() -> None:
    """usearch's own libstdc++ breaks the streams of a torch that is loaded after it."""
    program = """
import usearch.index
from shared.encoders.registry import load_encoder
try:
    print(load_encoder("efficientnet_lite0", backend="openvino").backend)
except ValueError as error:
    print(error)
"""
    assert run(program).endswith("import torch first\n")
