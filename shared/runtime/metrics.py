"""The registry that a worker's metrics stand in."""

from prometheus_client import CollectorRegistry, ProcessCollector

from shared.runtime.tracing.metrics import SPANS


def new_registry() -> CollectorRegistry:
    """A registry with the memory, the CPU time and the open files of this process (Linux), and its spans."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(SPANS)
    return registry
