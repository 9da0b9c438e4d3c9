"""From a torch module to a network that OpenVINO runs."""

import warnings
from types import ModuleType
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from shared.encoders.backends.openvino_package import OpenVinoUnavailable, import_openvino, openvino_core
from shared.encoders.precision import NumberFormat

_CAPABILITIES: dict[str, NumberFormat] = {"BF16": "bf16", "FP16": "f16"}


class OpenVinoNetwork:
    """A torch module in OpenVINO's form, to be compiled for one image at a time."""

    model: Any
    """An `openvino.Model`, which has no types."""

    def __init__(self, module: nn.Module, image: Tensor) -> None:
        """Trace the module with an image, uint8 (1, 3, height, width). Raises OpenVinoUnavailable."""
        openvino = import_openvino()
        from openvino.frontend.pytorch.ts_decoder import (  # type: ignore[import-untyped]  # noqa: PLC0415 - as openvino
            TorchScriptPythonDecoder,
        )

        _check_streams()
        try:
            with warnings.catch_warnings():
                # torch would rather export models than trace them, which takes five times as long; and it warns of
                # what a trace makes constant: whether that matters is seen by comparing the vectors.
                warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated", FutureWarning)
                warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]  # public, unlisted
                # Torch itself would compare the trace with the module, which takes seconds: the vectors are compared.
                traced = TorchScriptPythonDecoder(module, example_input=image, trace_kwargs={"check_trace": False})
                self.model = openvino.convert_model(traced, input=[tuple(image.shape)])
        except _failures(openvino) as error:
            report = " ".join(str(error).split())  # it spreads over many lines
            raise OpenVinoUnavailable(f"OpenVINO cannot convert the model: {report}") from error

    @classmethod
    def read(cls, structure: bytes, constants: bytes) -> Self:
        """Take a network that was stored: the XML and the numbers of OpenVINO's IR. Raises OpenVinoUnavailable."""
        network = cls.__new__(cls)
        try:
            network.model = openvino_core().read_model(structure, constants)
        except RuntimeError as error:
            raise OpenVinoUnavailable(f"OpenVINO cannot read the network: {error}") from error
        return network

    def half_formats(self) -> list[NumberFormat]:
        """Return the half precisions in which this CPU computes by itself."""
        capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return [number_format for name, number_format in _CAPABILITIES.items() if name in capabilities]

    def compile(self, goal: Literal["LATENCY", "THROUGHPUT"], threads: int, number_format: NumberFormat) -> Any:  # noqa: ANN401 - it has no types
        """Return an `openvino.CompiledModel`: one stream with all threads, or several that share them.

        Raises OpenVinoUnavailable.
        """
        properties = {
            "PERFORMANCE_HINT": goal,
            "INFERENCE_NUM_THREADS": threads,
            # Else it is a half precision wherever the CPU has one.
            "INFERENCE_PRECISION_HINT": "f32" if number_format == "i8" else number_format,  # what is int8 stays so
            # Else all workers of a host would bind their threads to the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            return openvino_core().compile_model(self.model, "CPU", properties)
        except RuntimeError as error:
            raise OpenVinoUnavailable(f"OpenVINO cannot compile the model: {error}") from error


def _check_streams() -> None:
    """Refuse a process in which C++ prints no numbers: torch would look for a free name for ever while it traces.

    A library that brings its own libstdc++, such as usearch, and is loaded before torch has this
    effect: https://github.com/pytorch/pytorch/issues/109923.
    """
    try:
        torch.zeros(2).expand(3)
    except RuntimeError as error:
        if "2" not in str(error):
            raise OpenVinoUnavailable(
                "C++ prints no numbers in this process, because a library with a libstdc++ of its own was loaded "
                "before torch; import torch first"
            ) from None


def _failures(openvino: ModuleType) -> tuple[type[Exception], ...]:
    """What a conversion may raise: the tracing a RuntimeError, and OpenVINO exceptions without a common base."""
    frontend = openvino.frontend
    return (
        RuntimeError,
        frontend.GeneralFailure,
        frontend.InitializationFailure,
        frontend.NotImplementedFailure,
        frontend.OpConversionFailure,
        frontend.OpValidationFailure,
    )
