"""What `afterimage plan` says follows from the load, and says why."""

from dataclasses import replace

import pytest

from services.cli.planning import Load, plan

LOAD = Load(images=1e7, uploads_per_s=100, queries_per_s=100)


def amounts(load: Load) -> dict[str, float]:
    return {line.name: line.amount for line in plan(load)}


def test_ten_times_the_images_take_ten_times_the_room_and_the_shards() -> None:
    small, large = amounts(LOAD), amounts(replace(LOAD, images=1e8))
    for name in (
        "memory of searchers",
        "the store of segments",
        "Kafka, images.features",
        "partitions, which are the shards",
        "Redis",
    ):
        assert large[name] == pytest.approx(10 * small[name])


def test_a_query_takes_what_all_segments_take() -> None:
    name = "cores of searchers"
    assert amounts(replace(LOAD, images=1e9))[name] > 50 * amounts(LOAD)[name]


def test_shards_are_as_many_as_the_uploads_need_though_there_are_few_images() -> None:
    assert amounts(replace(LOAD, images=1e5, uploads_per_s=5_000))["partitions, which are the shards"] >= 40


def test_shorter_codes_and_fewer_copies_take_less_memory() -> None:
    memory = amounts(LOAD)["memory of searchers"]
    assert amounts(replace(LOAD, code_bytes=320))["memory of searchers"] < memory / 2
    assert amounts(replace(LOAD, copies=1))["memory of searchers"] == memory / 2


def test_gpus_are_planned_with_the_rate_that_the_caller_measured() -> None:
    assert amounts(replace(LOAD, uploads_per_s=10_000, gpu_images_per_s=2_000))["GPUs of extractors"] == 9


def test_nothing_uploaded_and_nothing_asked_still_takes_one_of_each() -> None:
    idle = amounts(Load(images=1, uploads_per_s=0, queries_per_s=0))
    assert (idle["cores of extractors"], idle["cores of indexers"], idle["cores of searchers"]) == (1, 1, 2)


@pytest.mark.parametrize("wrong", [{"images": 0}, {"uploads_per_s": -1}, {"copies": 0}, {"by_image": 1.5}])
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"at least one|between 0 and 1"):
        plan(replace(LOAD, **wrong))  # type: ignore[arg-type]  # some are whole numbers
