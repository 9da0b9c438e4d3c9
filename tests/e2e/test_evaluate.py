"""`afterimage evaluate`, as people run it on their own pictures: there is no broker."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.harness.command_line import afterimage
from tests.harness.service import PHOTOS


def run(arguments: Sequence[str | Path], *, status: int) -> tuple[str, str]:
    """What a command that ends with the status given says on its standard output and on its error output."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": "none", "AFTERIMAGE_BACKEND": "torch", "AFTERIMAGE_THREADS": "1"}
    done = afterimage(["evaluate", *arguments], environment, timeout_s=240)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five fish and five plants of energy, half of them as JPEG files and half as they are, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for label in ("energy", "fish"):
        (folder / label).mkdir()
        for number, photo in enumerate(sorted((PHOTOS / label).glob("*.webp"))[:5]):
            if number % 2:
                Image.open(photo).convert("RGB").save(folder / label / f"{photo.stem}.jpg", quality=90)
            else:
                shutil.copy(photo, folder / label)
    (folder / "fish" / "broken.jpg").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The folder of the results of an evaluation, and what it said."""
    target = tmp_path_factory.mktemp("results") / "new"
    schemes = ["efficientnet_lite0@f32", "efficientnet_lite0@i8", "histogram", "phash"]
    options = [option for scheme in schemes for option in ("--schemes", scheme)]
    return target, *run(["--data", data, *options, "--out", target], status=3)


def test_the_table_says_what_each_scheme_finds_and_costs(made: tuple[Path, str, str]) -> None:
    _, table, said = made
    head, *rows = [line.split() for line in table.splitlines()[:5]]
    assert head == ["scheme", "mAP", "hit@1", "hit@5", "hit@10", "nDCG@10", "bytes", "ms"]
    assert [(row[0], row[-2]) for row in rows] == [
        ("efficientnet_lite0@f32", "5120"),
        ("efficientnet_lite0@i8", "1280"),
        ("histogram", "1024"),
        ("phash", "8"),
    ]
    by_chance = 4 / 9
    assert float(rows[0][1]) > 0.7 > by_chance
    assert "10 images of 2 classes" in table
    assert "histogram is worse than efficientnet_lite0@f32: " in table or "cannot be told from" in table
    assert "broken.jpg: " in said


def test_the_files_have_the_figures_of_the_table(made: tuple[Path, str, str]) -> None:
    target, table, _ = made
    with (target / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    printed = [line.split() for line in table.splitlines()[1:5]]
    assert [(row["scheme"], f"{float(row['mAP']):.3f}", row["bytes"]) for row in rows] == [
        (line[0], line[1], line[-2]) for line in printed
    ]
    report = (target / "report.html").read_text("utf-8")
    assert all(f"<td>{row['bytes']}</td>" in report for row in rows)
    with Image.open(target / "pareto.png") as plot:
        assert plot.format == "PNG"
    confusion = json.loads((target / "confusion.json").read_text())
    assert confusion["classes"] == ["energy", "fish"]
    assert [sum(row) for row in confusion["first_hits"]["phash"]] == [5, 5]


def test_the_same_seed_and_pictures_give_the_same_figures_as_json(data: Path) -> None:
    command = [
        "--data",
        data,
        "--schemes",
        "phash",
        "--schemes",
        "dhash",
        "--per-class",
        "3",
        "--seed",
        "4",
        "--json",
    ]  # not the broken one
    first, again = (json.loads(run(command, status=0)[0]) for _ in range(2))
    for row in (*first["schemes"], *again["schemes"]):
        assert row.pop("ms") > 0
    assert first == again
    assert [row["scheme"] for row in first["schemes"]] == ["phash", "dhash"]


def test_a_code_that_is_learned_is_judged_by_other_pictures_than_it_learned_from(data: Path) -> None:
    schemes = ["--schemes", "efficientnet_lite0@pca3,f32", "--schemes", "histogram"]
    table, _ = run(["--data", data, *schemes], status=3)
    assert "5 images of 2 classes; codes were fitted to 5 others" in table


def test_copies_are_searched_for_among_all_pictures_of_a_folder_without_classes(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "results"
    command = ["--data", data / "energy", "--copies", "--queries", "3", "--schemes", "phash", "--schemes", "histogram"]
    table, _ = run([*command, "--out", target], status=0)
    assert "24 copies of 3 images, among 5 images" in table
    assert [line.split() for line in table.splitlines()[4:6]] == [
        ["recall@1"],
        ["scheme", "crop", "scale", "jpeg", "blur", "colour", "text", "rotate", "mirror"],
    ]
    assert "the original stands at rank 1 of 5" in (target / "report.html").read_text("utf-8")
    with (target / "transforms.csv").open(newline="") as file:
        rows = {(row["scheme"], row["transform"]): row for row in csv.DictReader(file)}
    assert len(rows) == 16
    assert float(rows["phash", "scale"]["recall@1"]) == 1
    assert float(rows["phash", "mirror"]["recall@1"]) < 1 == float(rows["histogram", "mirror"]["recall@1"])


@pytest.mark.parametrize(
    ("prepare", "arguments", "sentence"),
    [
        ("fish/a.jpg", [], "there must be a folder for each class"),
        ("a.jpg", [], "'a.jpg' of '{data}' lie in no class: each class is a folder"),
        ("fish/a.jpg", ["--copies", "--per-class", "3"], "--queries bounds it"),
        ("fish/a.jpg", ["--queries", "3"], "--per-class bounds what is taken of a class"),
        ("fish/a.jpg", ["--copies"], "1 pictures are too few for a search"),
        ("fish/a.jpg", ["--schemes", "rnn@i9"], "the scheme 'rnn@i9' cannot be used"),
        (None, [], "no images there"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_a_sentence(
    tmp_path: Path, prepare: str | None, arguments: list[str], sentence: str
) -> None:
    if prepare is not None:
        (tmp_path / prepare).parent.mkdir(exist_ok=True)
        Image.open(PHOTOS / "fish" / "fish1.webp").convert("RGB").save(tmp_path / prepare)
    _, said = run(["--data", tmp_path, *arguments], status=2)
    assert sentence.format(data=tmp_path) in said
