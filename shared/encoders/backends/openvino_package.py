"""OpenVINO is optional, and is kept from sending statistics of its use."""

import sys
from functools import cache
from types import ModuleType
from typing import Any


class OpenVinoUnavailable(ValueError):
    """OpenVINO cannot run this encoder here; torch can."""


def import_openvino() -> ModuleType:
    """Import the package `openvino`, without its telemetry. Raises OpenVinoUnavailable.

    On import and on every conversion OpenVINO reports to Google Analytics through the package
    `openvino_telemetry`, unless each user has opted out by a file in their home. Where that package
    cannot be imported it does without: an entry of None in `sys.modules` has that effect.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the import system's own convention
    try:
        import openvino  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, and it ships no type information
    except (ImportError, OSError) as error:  # OSError: its libraries do not fit this host
        raise OpenVinoUnavailable(
            f"OpenVINO cannot be imported ({error}); install afterimage[openvino], or use the backend torch"
        ) from error
    module: ModuleType = openvino
    return module


@cache
def openvino_core() -> Any:  # noqa: ANN401 - it has no types
    """Return the process's `openvino.Core`, which is never let go. Raises OpenVinoUnavailable.

    With the first network the CPU plugin gives the thread that compiles it another stack for signals, and it frees that
    stack when the last network is dropped, by whichever thread that happens: the next signal to the first thread, such
    as the SIGTERM of a rolling update, then ended the process with a segmentation fault.
    """
    return import_openvino().Core()
