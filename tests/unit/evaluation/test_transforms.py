"""Copies are changed as documented, and the same way by the same seed."""

import numpy as np
import pytest
from PIL import Image

from shared.evaluation.transforms import TRANSFORMS, changed


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.open("tests/data/photos/animal/panda.webp").convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_same_seed_and_name_change_a_picture_alike_and_leave_it_as_it_was(
    transform: str, photo: Image.Image
) -> None:
    before = photo.tobytes()
    one, again = (changed(photo, transform, seed=3, name="a/b.jpg") for _ in range(2))
    assert one.tobytes() == again.tobytes() != before
    assert one.mode == "RGB"
    assert photo.tobytes() == before


@pytest.mark.parametrize("transform", ["crop", "colour", "text", "rotate"])
def test_what_is_drawn_differs_between_pictures_and_seeds(transform: str, photo: Image.Image) -> None:
    drawn = {
        changed(photo, transform, seed=seed, name=name).tobytes() for seed in (0, 1) for name in ("a", "b", "\udcff")
    }
    assert len(drawn) == 6


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_pictures_of_any_shape_can_be_changed(transform: str, size: tuple[int, int]) -> None:
    assert min(changed(Image.new("RGB", size, "red"), transform, seed=0, name="a").size) >= 1


def test_a_crop_is_a_part_of_half_the_area(photo: Image.Image) -> None:
    cut = changed(photo, "crop", seed=0, name="a")
    assert cut.width * cut.height == pytest.approx(photo.width * photo.height / 2, rel=0.01)
    pixels, part = np.asarray(photo), np.asarray(cut)
    windows = np.lib.stride_tricks.sliding_window_view(pixels[..., 0], (8, 8))
    assert (windows == part[:8, :8, 0]).all(axis=(2, 3)).any()


def test_a_smaller_copy_has_sides_of_a_quarter(photo: Image.Image) -> None:
    assert changed(photo, "scale", seed=0, name="a").size == (photo.width // 4, photo.height // 4)


def test_a_mirrored_mirror_is_the_picture(photo: Image.Image) -> None:
    twice = changed(changed(photo, "mirror", seed=0, name="a"), "mirror", seed=0, name="a")
    assert twice.tobytes() == photo.tobytes()


def test_jpeg_and_blur_keep_the_size_and_about_the_colours(photo: Image.Image) -> None:
    for transform in ("jpeg", "blur"):
        copy = changed(photo, transform, seed=0, name="a")
        assert copy.size == photo.size
        assert 1 < difference(copy, photo) < 30


def test_colours_stay_within_the_factors_of_their_table() -> None:
    grey = Image.new("RGB", (8, 8), (100, 100, 100))
    lights = [np.asarray(changed(grey, "colour", seed=0, name=str(number))).mean() for number in range(200)]
    assert 59 <= min(lights) < 65
    assert 135 < max(lights) <= 141


def test_a_text_covers_some_of_the_picture_and_nothing_else(photo: Image.Image) -> None:
    copy = changed(photo, "text", seed=0, name="a")
    touched = (np.asarray(copy) != np.asarray(photo)).any(axis=2)
    columns = np.flatnonzero(touched.any(axis=0))
    assert 0.02 < touched.mean() < 0.3
    assert 0.8 < (columns[-1] - columns[0]) / photo.width < 0.95


def test_a_turn_cuts_nothing_off_and_is_at_least_five_degrees(photo: Image.Image) -> None:
    for number in range(20):
        copy = changed(photo, "rotate", seed=0, name=str(number))
        least = photo.width * np.cos(np.radians(5)) + photo.height * np.sin(np.radians(5))
        most = photo.width * np.cos(np.radians(25)) + photo.height * np.sin(np.radians(25))
        assert least - 2 <= copy.width <= most + 2
