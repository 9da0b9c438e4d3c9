"""A real Prometheus that scrapes workers on this machine."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
import yaml

from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe, http_probe
from tests.harness.daemon import Daemon

_SCRAPE_INTERVAL = "1s"


class PrometheusServer(Daemon):
    """Runs with the configuration that is deployed, but for where the workers are and how often it asks them."""

    start_timeout_s = 30.0

    def __init__(self, folder: Path, *, configuration: Path, targets: Mapping[str, Sequence[str]]) -> None:
        """targets: job → host:port of each replica, in place of what the names in the configuration stand for."""
        super().__init__("prometheus", log=folder / "prometheus.log")
        self._port = free_port()
        self._data = folder / "prometheus"
        self._file = folder / "prometheus.yml"
        settings = yaml.safe_load(configuration.read_text(encoding="utf-8"))
        settings["global"]["scrape_interval"] = _SCRAPE_INTERVAL
        settings["rule_files"] = [
            str(self._rules(folder, configuration.parent / name)) for name in settings["rule_files"]
        ]
        for job in settings["scrape_configs"]:
            del job["dns_sd_configs"]
            job["static_configs"] = [{"targets": [*targets[job["job_name"]]]}]
        self._file.write_text(yaml.safe_dump(settings), encoding="utf-8")

    @staticmethod
    def _rules(folder: Path, file: Path) -> Path:
        """The same rules, evaluated as often as the workers are asked."""
        rules = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in rules["groups"]:
            group["interval"] = _SCRAPE_INTERVAL
        copy = folder / file.name
        copy.write_text(yaml.safe_dump(rules), encoding="utf-8")
        return copy

    def command(self) -> list[str]:
        return [
            "prometheus",
            f"--config.file={self._file}",
            f"--storage.tsdb.path={self._data}",
            f"--web.listen-address={LOOPBACK}:{self._port}",
        ]

    def probe(self) -> Probe:
        return http_probe(self._port, "/-/ready")

    async def rules(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        """What became of each rule when it was last evaluated: ok, or the error."""
        async with session.get(f"http://{LOOPBACK}:{self._port}/api/v1/rules") as response:
            groups = (await response.json())["data"]["groups"]
        return {rule["name"]: rule.get("lastError") or rule["health"] for group in groups for rule in group["rules"]}

    async def values(self, session: aiohttp.ClientSession, expr: str) -> list[float]:
        """What an instant query gives now; NaN, which a quantile of nothing is, is no value."""
        url = f"http://{LOOPBACK}:{self._port}/api/v1/query"
        async with session.get(url, params={"query": expr}) as response:
            answer = await response.json()
        assert answer["status"] == "success", f"{expr}: {answer['error']}"
        numbers = [float(series["value"][1]) for series in answer["data"]["result"]]
        return [number for number in numbers if not math.isnan(number)]
