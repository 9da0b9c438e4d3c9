"""The weights that come with Afterimage: real ones, which find what their model cards say."""

import re
from pathlib import Path

import pytest

from shared.encoders.registry import PACKAGED, load_encoder
from shared.encoders.trained import read_description
from shared.encoders.weights import sha256_of
from shared.evaluation.coding import coded
from shared.evaluation.leave_one_out import leave_one_out
from tests.unit.encoders.photos import decoded_photos

TRAINED = [name for name in PACKAGED if name != "efficientnet_lite0"]


@pytest.mark.parametrize("name", TRAINED)
def test_the_file_is_small_the_pinned_one_and_described(name: str) -> None:
    path, sha256 = PACKAGED[name]()
    assert path.stat().st_size < 12_000_000
    assert sha256_of(path) == sha256
    described = read_description(path)
    assert described.family == name
    card = (path.parent / "MODEL_CARD.md").read_text()
    for measure in ("mAP", "recall@1"):
        assert f"{described.quality[measure]:.3f}" in card
    for fact in (sha256, described.command, f"seed {described.seed}", str(described.data["learned from"])):
        assert fact in card


@pytest.mark.parametrize("name", TRAINED)
def test_it_finds_photos_of_the_same_kind_as_well_as_its_card_says(name: str) -> None:
    """None of them was learned from."""
    encoder = load_encoder(name, device="cpu", backend="torch")
    photos = decoded_photos(encoder.preprocessing)
    kinds = sorted(set(photos.labels))
    pictures = coded("f32", encoder.encode(photos.images).numpy())
    found = leave_one_out(pictures, [kinds.index(label) for label in photos.labels]).quality.average_precision.mean()
    card = (PACKAGED[name]()[0].parent / "MODEL_CARD.md").read_text()
    said = re.search(rf"^\| `{name}` \| (0\.\d{{3}}) \|$", card, re.MULTILINE)
    assert said is not None
    assert found == pytest.approx(float(said[1]), abs=0.005)


def test_a_wheel_holds_them() -> None:
    """They lie in a package, and nothing keeps them out of it."""
    for name in TRAINED:
        assert PACKAGED[name]()[0].is_relative_to(Path("shared").resolve())
