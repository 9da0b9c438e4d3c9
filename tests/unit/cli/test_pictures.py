import os
from pathlib import Path

import pytest

from services.cli.failures import Failure
from services.cli.pictures import Picture, check, pictures
from shared.events.faults import PoisonInput, RejectReason


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b/2.PNG", "b/1.jpg", "a/3.webp", "c.jpg", "notes.txt", ".hidden.jpg", ".git/4.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"content")
    return tmp_path


def test_a_folder_gives_its_images_by_name_and_leaves_out_what_is_hidden_or_something_else(folder: Path) -> None:
    found = [Path(picture.path).relative_to(folder).as_posix() for picture in pictures([str(folder)])]
    assert found == ["c.jpg", "a/3.webp", "b/1.jpg", "b/2.PNG"]


def test_places_are_taken_in_their_order_and_files_whatever_they_are_called(folder: Path) -> None:
    places = [str(folder / "notes.txt"), "-", str(folder / "b"), str(folder / "notes.txt")]
    assert [picture.path for picture in pictures(places)] == [
        places[0],
        "-",
        str(folder / "b/1.jpg"),
        str(folder / "b/2.PNG"),
        places[0],
    ]


def test_a_place_without_images_is_refused(folder: Path) -> None:
    check([str(folder)])
    with pytest.raises(Failure, match="there is nothing at '/nowhere'"):
        check([str(folder), "/nowhere"])
    (folder / "empty").mkdir()
    with pytest.raises(Failure, match="no images there"):
        check([str(folder / "empty")])


def test_no_more_is_read_of_a_file_than_shows_that_it_is_too_large(folder: Path) -> None:
    assert Picture(str(folder / "c.jpg")).read(max_bytes=3) == b"cont"


def test_a_file_that_cannot_be_read_costs_itself(folder: Path) -> None:
    with pytest.raises(PoisonInput, match="cannot be read: No such file") as fault:
        Picture(str(folder / "gone.jpg")).read(max_bytes=10)
    assert fault.value.reason is RejectReason.NOT_FOUND


def test_a_name_that_is_no_unicode_can_be_told(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(b"content")
    [picture] = pictures([str(tmp_path)])
    assert picture.name == f"{tmp_path}/\N{REPLACEMENT CHARACTER}.jpg"
    assert picture.read(max_bytes=10) == b"content"
