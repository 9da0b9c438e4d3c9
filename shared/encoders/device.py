"""Where tensors live, and with how many threads they are computed."""

import torch


def choose_device(device: str) -> torch.device:
    """Return the device of that name; `auto` is CUDA where there is one, else the CPU.

    Raises ValueError when the name is unknown, or the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"the device {device!r} is unknown; use auto, cpu, cuda or cuda:N") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"the device {device!r} is not there; use auto or cpu, or check the driver")
    return chosen


def cuda_devices() -> list[str]:
    """Name the CUDA devices of this machine, as `choose_device` takes them."""
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]


def forbid_tf32() -> None:
    """Have CUDA compute float32 as such: by default its convolutions round their input to 10 bits, as float16 does.

    It holds for the whole process.
    """
    torch.backends.cudnn.fp32_precision = "ieee"
    torch.backends.cuda.matmul.fp32_precision = "ieee"


def configure_threads(count: int) -> None:
    """Let one operation on the CPU use that many threads. Call it once, before the first operation.

    OpenMP's threads spin while they wait, which on busy cores makes everything many times
    slower: a worker sets OMP_WAIT_POLICY=passive in its environment *before* torch is
    imported, because the runtime reads it only once.
    """
    if count < 1:
        raise ValueError(f"{count} threads cannot compute anything; use 1 or more")
    torch.set_num_threads(count)
