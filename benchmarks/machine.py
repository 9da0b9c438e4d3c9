"""Where the figures were taken, which they mean nothing without."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("torch", "aiokafka", "faststream", "redis", "usearch", "pillow")


def describe() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"machine: {_processor()}, {os.cpu_count()} cores, load {load} before the run; "
        f"Python {platform.python_version()}, {packages}"
    )


def _processor() -> str:
    """The name of the processor on Linux, and what Python knows of it elsewhere."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
