"""Prometheus' configuration: valid, and aimed at every replica of every worker."""

import shutil
import subprocess

import pytest

from tests.unit.deploy.files import GRAFANA, PROMETHEUS, WORKERS, load, services


def test_prometheus_accepts_its_configuration() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool, which comes with prometheus: `make ci-tools` installs it")
    done = subprocess.run(
        [promtool, "check", "config", PROMETHEUS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_worker_is_scraped_where_it_listens() -> None:
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in load(PROMETHEUS)["scrape_configs"]}
    assert jobs.keys() == set(WORKERS)
    for worker, discovery in jobs.items():
        port = int(services()[worker]["healthcheck"]["test"][-1])
        assert (discovery["names"], discovery["type"], discovery["port"]) == ([worker], "A", port)


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    """From this it makes $__rate_interval; a shorter one would leave rates without two points to compare."""
    source = load(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]
    assert source["jsonData"]["timeInterval"] == load(PROMETHEUS)["global"]["scrape_interval"]
