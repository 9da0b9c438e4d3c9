"""The pictures that families are measured on are real ones, which the shipped weights have not learned from."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.families import clothes, drawings

LABELS = np.repeat(np.arange(10, dtype=np.uint8), 5)


def write_idx(path: Path, values: np.ndarray, kind: int = 8) -> None:
    sides = np.array(values.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(bytes([0, 0, kind, values.ndim]) + sides + values.tobytes()))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", LABELS)
    return tmp_path


def test_clothes_are_written_as_they_are_by_their_classes_and_the_same_by_the_same_seed(dataset: Path) -> None:
    one, again = dataset / "one", dataset / "again"
    for target in (one, again):
        clothes.lay_out(dataset, target, per_class=3)
    names = sorted(str(path.relative_to(one)) for path in one.rglob("*.png"))
    assert len(names) == 30
    assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*.png"))
    images = clothes.read_idx(dataset / "t10k-images-idx3-ubyte.gz")
    for name in names:
        label, row = Path(name).parent.name, int(Path(name).stem)
        assert clothes.CLASSES[LABELS[row]] == label
        with Image.open(one / name) as image:
            assert np.array_equal(np.asarray(image), images[row])


def test_an_array_of_other_numbers_or_too_short_a_one_is_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", np.zeros((2, 2), np.float32), kind=13)
    (tmp_path / "b.gz").write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1])))
    for name in ("a.gz", "b.gz"):
        with pytest.raises(ValueError, match="in the form of MNIST"):
            clothes.read_idx(tmp_path / name)


def test_no_drawing_that_was_learned_from_is_laid_out_in_whatever_class_it_lies(tmp_path: Path) -> None:
    library, target = tmp_path / "library", tmp_path / "target"
    for label in range(20):
        folder = library / f"kind{label % 2}" / f"class{label}"
        folder.mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (16, 16), (label * 12, number * 80, 7)).save(folder / f"{label}-{number}.png")
        Image.new("RGB", (16, 16), "white").save(folder / f"{label}-all-alike.png")
        (folder / f"{label}-broken.png").write_bytes(b"no image")
    (library / "unsorted").mkdir()
    Image.new("RGB", (16, 16), "red").save(library / "unsorted" / "red.png")
    held_out, learned = drawings.lay_out(library, target, per_class=9)
    found = sorted(path.name for path in target.rglob("*.png"))
    assert (held_out, learned) == (len(found), 61 - len(found))
    labels = {name.split("-")[0] for name in found}
    assert len(labels) == 4  # a fifth of the classes
    expected = sorted(f"{label}-{number}.png" for label in labels for number in range(3))
    assert [name for name in found if "alike" not in name] == expected
    assert [name for name in found if "alike" in name] in ([], ["0-all-alike.png"])
    fewer, again = tmp_path / "fewer", tmp_path / "again"
    for some in (fewer, again):
        assert drawings.lay_out(library, some, per_class=2) == (held_out, learned)
    names = sorted(path.name for path in fewer.rglob("*.png"))
    assert (len(names), names) == (8, sorted(path.name for path in again.rglob("*.png")))
    assert {path.parent.name for path in target.rglob("*.png")} == {
        f"kind{int(label) % 2}.class{label}" for label in labels
    }
