"""What a worker says of itself on /metrics."""

from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.harness.workers import WorkerProcess


class WorkerMetrics:
    """Blocks while it reads: call it through `asyncio.to_thread` where something else must go on."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._url = f"{worker.url}/metrics"

    def total(self, sample: str) -> float:
        """The sum of all samples of that name, over their labels."""
        with urlopen(self._url, timeout=10) as response:  # noqa: S310 - a worker of this run
            text = response.read().decode()
        families = text_string_to_metric_families(text)
        return sum(found.value for family in families for found in family.samples if found.name == sample)
