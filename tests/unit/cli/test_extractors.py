"""How several extractors share one machine."""

import os

from services.cli.extractors import workers_with
from services.cli.stack import WORKERS

GPUS = ["cuda:0", "cuda:1"]


def environments(count: int, *, devices: list[str], **environment: str) -> list[dict[str, str]]:
    workers = workers_with(count, devices=devices, environment=environment)
    return [dict(worker.env) for worker in workers if worker.module == "services.extractor"]


def test_one_extractor_is_what_there_is_without_the_option() -> None:
    assert workers_with(1, devices=[], environment={}) == WORKERS


def test_each_has_a_name_and_a_port_of_its_own() -> None:
    workers = workers_with(3, devices=[], environment={})
    assert len(workers) == len(WORKERS) + 2
    assert len({worker.name for worker in workers}) == len({worker.http_port for worker in workers}) == len(workers)


def test_devices_are_taken_in_turn() -> None:
    devices = [env["AFTERIMAGE_DEVICE"] for env in environments(3, devices=GPUS)]
    assert devices == ["cuda:0", "cuda:1", "cuda:0"]


def test_a_device_that_was_chosen_holds_for_all() -> None:
    assert all("AFTERIMAGE_DEVICE" not in env for env in environments(2, devices=GPUS, AFTERIMAGE_DEVICE="cpu"))
    assert all("AFTERIMAGE_DEVICE" not in env for env in environments(2, devices=GPUS[:1]))


def test_the_cores_are_divided_unless_their_number_was_chosen() -> None:
    cores = os.cpu_count() or 1
    threads = [int(env["EXTRACTOR_THREADS"]) for env in environments(2, devices=[])]
    assert threads == [max(1, cores // 2)] * 2
    assert all("EXTRACTOR_THREADS" not in env for env in environments(2, devices=[], EXTRACTOR_THREADS="3"))


def test_no_two_have_the_name_of_one_instance() -> None:
    named = [env["EXTRACTOR_INSTANCE_ID"] for env in environments(2, devices=[], EXTRACTOR_INSTANCE_ID="host")]
    assert named == ["host-1", "host-2"]
