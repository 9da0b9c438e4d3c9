"""Copies of one's own pictures are searched for among all of them."""

from collections import Counter
from pathlib import Path

import pytest

from services.cli.evaluation.copies import CopyEvaluation, evaluate_copies, plan
from services.cli.evaluation.results import of_copies
from services.cli.evaluation.schemes import SchemeSpec
from services.cli.failures import Failure
from services.cli.pictures import Picture, pictures
from shared.evaluation.transforms import TRANSFORMS

LISTED = [Picture(f"/data/{number}.png") for number in range(20)]


def specs(*texts: str) -> list[SchemeSpec]:
    return [SchemeSpec.parse(text) for text in texts]


def test_the_same_pictures_are_copied_by_the_same_seed_and_all_are_searched() -> None:
    some, again, others = (plan(LISTED, specs("phash"), queries=5, seed=seed) for seed in (0, 0, 1))
    assert some == again
    assert some.copied != others.copied
    assert (len(some.copied), len(some.searched), some.learned) == (5, 20, [])
    assert some.size == 20 + 5 * len(TRANSFORMS)


def test_what_codes_are_fitted_to_is_neither_copied_nor_searched() -> None:
    planned = plan(LISTED, specs("rnn@pca4,f32"), queries=None, seed=0)
    assert len(planned.searched) == len(planned.learned) == 10
    assert planned.copied == planned.searched
    assert not set(planned.searched) & set(planned.learned)


def test_one_picture_alone_is_refused() -> None:
    with pytest.raises(Failure, match="1 pictures are too few"):
        plan(LISTED[:1], specs("phash"), queries=None, seed=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photos in no class, and a file that is none."""
    for photo in sorted(Path("tests/data/photos").glob("fish/*.webp"))[:6]:
        (tmp_path / photo.name).write_bytes(photo.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no image")
    return tmp_path


async def evaluated(folder: Path, scratch: Path, *texts: str) -> tuple[CopyEvaluation, list[str]]:
    steps: list[str] = []
    planned = plan(list(pictures([str(folder)])), specs(*texts), queries=None, seed=0)
    made = await evaluate_copies(folder, planned, specs(*texts), scratch, seed=0, step=steps.append)
    return made, steps


async def test_hashes_find_what_is_smaller_or_blurred_and_not_what_is_mirrored(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made, steps = await evaluated(folder, tmp_path_factory.mktemp("scratch"), "phash", "histogram")
    assert list(made.failures) == [str(folder / "broken.png")]
    assert (len(made.pictures), len(made.copies)) == (6, 6 * len(TRANSFORMS))
    results = of_copies(made, seed=0)
    assert results.counts == {"images": 6, "copied": 6, "copies": 48, "learned_from": 0}
    phash, histogram = (scheme.by_transform for scheme in results.schemes)
    assert [phash[name]["recall@1"] for name in ("scale", "jpeg", "blur")] == [1, 1, 1]
    assert phash["mirror"]["recall@1"] < 0.5 < histogram["mirror"]["recall@1"] == 1
    assert Counter(steps) == {"copies": 7, "phash": 55, "histogram": 55}


async def test_copies_are_embedded_once_by_each_encoder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    texts = ("efficientnet_lite0@f32", "efficientnet_lite0@i8", "histogram")
    made, steps = await evaluated(folder, tmp_path_factory.mktemp("scratch"), *texts)
    assert Counter(steps) == {"copies": 7, "efficientnet_lite0": 55, "histogram": 55}
    exact, bytes_, _ = of_copies(made, seed=0).schemes
    assert exact.measures["recall@1"] > 0.9
    assert abs(exact.measures["mAP"] - bytes_.measures["mAP"]) < 0.05
