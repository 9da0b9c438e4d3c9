"""Schemes are read, and pictures labelled, as they were given."""

from collections import Counter
from pathlib import Path

import pytest

from services.cli.evaluation.classes import evaluate, find
from services.cli.evaluation.schemes import SchemeSpec
from services.cli.failures import Failure
from services.cli.pictures import Picture, pictures


@pytest.mark.parametrize(
    ("text", "encoder", "code"),
    [
        ("efficientnet_lite0", "efficientnet_lite0", "i8"),
        ("timm:resnet50?pool=gem&weights=/a@b.pth@f32", "timm:resnet50?pool=gem&weights=/a@b.pth", "f32"),
        ("0.7*efficientnet_lite0+0.3*rnn@pca128,itq", "0.7*efficientnet_lite0+0.3*rnn", "pca128,itq"),
        ("rnn@codes/mine.safetensors", "rnn", "codes/mine.safetensors"),
        ("phash", "phash", None),
    ],
)
def test_what_follows_the_last_at_sign_is_the_code(text: str, encoder: str, code: str | None) -> None:
    assert SchemeSpec.parse(text) == SchemeSpec(encoder=encoder, code=code)


def test_a_code_that_there_is_not_is_refused_before_anything_is_embedded() -> None:
    with pytest.raises(Failure, match="there is no code 'i9'"):
        SchemeSpec.parse("rnn@i9")
    with pytest.raises(Failure, match="phash has a code of its own"):
        SchemeSpec.parse("phash@i8")


def test_as_many_of_a_class_are_taken_as_asked_for_and_the_same_by_the_same_seed() -> None:
    listed = [Picture(f"/data/{label}/{number}.png") for label in "ab" for number in range(9)]
    some, again, others = (find(Path("/data"), listed, per_class=4, seed=seed) for seed in (0, 0, 1))
    assert some == again != others
    assert sorted(one.label for one in some) == ["a"] * 4 + ["b"] * 4


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(Failure, match="two at least"):
        find(Path("/data"), [Picture("/data/a/1.png")], per_class=None, seed=0)


def test_pictures_that_lie_in_no_class_are_named_and_refused() -> None:
    listed = [Picture(f"/data/{name}.png") for name in ("a/1", "b/1", "w", "x", "y", "z")]
    with pytest.raises(Failure, match=r"'w\.png', 'x\.png', 'y\.png' and 1 more of '/data' lie in no class"):
        find(Path("/data"), listed, per_class=None, seed=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve photos, and a file that is none."""
    for photo in sorted(Path("tests/data/photos").glob("*/*.webp"))[:12]:
        (tmp_path / photo.parent.name).mkdir(exist_ok=True)
        (tmp_path / photo.parent.name / photo.name).write_bytes(photo.read_bytes())
    (tmp_path / "other").mkdir(exist_ok=True)
    (tmp_path / "other" / "broken.png").write_bytes(b"no image")
    return tmp_path


async def test_a_picture_that_cannot_be_read_is_named_and_judged_by_no_scheme(folder: Path) -> None:
    labelled = find(folder, list(pictures([str(folder)])), per_class=None, seed=0)
    steps: list[str] = []
    specs = [SchemeSpec.parse(text) for text in ("histogram", "phash")]
    evaluated = await evaluate(labelled, specs, seed=0, step=steps.append)
    assert list(evaluated.failures) == [str(folder / "other" / "broken.png")]
    assert (len(evaluated.pictures), evaluated.learned_from) == (12, 0)
    assert [result.bytes_per_image for result in evaluated.results] == [1024, 8]
    assert steps.count("phash") == 13


async def test_pictures_are_embedded_once_by_each_encoder_however_many_codes_it_has(folder: Path) -> None:
    labelled = find(folder, list(pictures([str(folder)])), per_class=None, seed=0)
    steps: list[str] = []
    texts = ("efficientnet_lite0@f32", "efficientnet_lite0@i8", "histogram")
    evaluated = await evaluate(labelled, [SchemeSpec.parse(text) for text in texts], seed=0, step=steps.append)
    assert Counter(steps) == {"efficientnet_lite0": 13, "histogram": 13}
    assert [result.bytes_per_image for result in evaluated.results] == [5120, 1280, 1024]
    assert len({result.milliseconds for result in evaluated.results}) == 2
