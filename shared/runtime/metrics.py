"""The registry that a worker's metrics stand in."""

from prometheus_client import CollectorRegistry, ProcessCollector


def new_registry() -> CollectorRegistry:
    """A registry with the memory, the CPU time and the open files of this process (Linux)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry
