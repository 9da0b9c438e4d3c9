"""What is learned from, and what is held out."""

from pathlib import Path

import pytest
import torch

from shared.events.faults import PoisonInput
from shared.training.pictures import PictureFile, Pictures, find_pictures, read_pictures, split

SUFFIXES = {".png"}


def labelled(per_class: list[int]) -> Pictures:
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate(per_class)])
    images = torch.zeros(len(labels), 3, 1, 1, dtype=torch.uint8)
    return Pictures(images=images, labels=labels, classes=tuple(str(label) for label in range(len(per_class))))


def test_a_picture_that_cannot_be_read_is_left_out_with_its_reason_and_a_copy_without(folder: Path) -> None:
    faults: dict[str, PoisonInput] = {}

    def done(file: PictureFile, fault: PoisonInput | None) -> None:
        if fault is not None:
            faults[file.path.name] = fault

    pictures = read_pictures(find_pictures(folder, SUFFIXES), 32, labelled=True, done=done)
    assert list(faults) == ["broken.png"]
    assert len(pictures) == 24
    assert pictures.classes == ("blue", "green", "red")
    assert pictures.images.shape == (24, 3, 32, 32)
    for label, channel in ((0, 2), (1, 1), (2, 0)):
        of_class = pictures.images[pictures.labels == label].float().mean(dim=(0, 2, 3))
        assert of_class.argmax() == channel


def test_a_folder_that_is_excluded_is_not_looked_into(folder: Path) -> None:
    assert {file.folder for file in find_pictures(folder, SUFFIXES, ["red"])} == {"blue", "green"}


def test_pictures_in_one_folder_have_no_labels(folder: Path) -> None:
    assert read_pictures(find_pictures(folder / "green", SUFFIXES), 8, labelled=True).labels is None


def test_too_few_pictures_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="1 pictures are too few"):
        read_pictures(find_pictures(folder, SUFFIXES)[:1], 8, labelled=True)


def test_of_many_classes_whole_ones_are_held_out() -> None:
    pictures = labelled([5] * 20)
    parts = split(pictures, seed=3)
    assert parts.whole_classes
    assert len(parts.held_out) == 20
    assert not set(pictures.labels[parts.held_out].tolist()) & set(pictures.labels[parts.learned].tolist())


def test_of_few_classes_some_pictures_of_each_are_held_out() -> None:
    pictures = labelled([10, 20, 3])
    parts = split(pictures, seed=3)
    assert torch.bincount(pictures.labels[parts.held_out]).tolist() == [2, 4]
    assert sorted([*parts.held_out.tolist(), *parts.learned.tolist()]) == list(range(33))


def test_the_seed_decides_what_is_held_out() -> None:
    first, again, other = (split(labelled([9] * 30), seed).held_out.tolist() for seed in (1, 1, 2))
    assert first == again != other
