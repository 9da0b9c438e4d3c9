"""The report shows what was found, asks nothing of anyone, and takes names as text."""

import asyncio
import os
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from services.cli.evaluation.classes import evaluate, find
from services.cli.evaluation.copies import evaluate_copies, plan
from services.cli.evaluation.report.plots import inline_pareto, write_pareto
from services.cli.evaluation.report.writing import write_class_report, write_copy_report
from services.cli.evaluation.results import Results, SchemeResult, of_classes, of_copies
from services.cli.evaluation.schemes import SchemeSpec
from services.cli.pictures import pictures

HOSTILE = "<script>alert('$x$ & \"y\"')<"
"""A class of that name; a slash, which would end an element, is in no name of a file."""
SPECS = [SchemeSpec.parse(text) for text in ("histogram", "phash", "dhash")]
VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and whether they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for found, attributes in self.elements if found == tag and name in attributes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of two classes, one of which has a name that a page must not take for its own, and a broken file."""
    data = tmp_path_factory.mktemp("photos")
    for label, name in (("fish", "fish"), ("energy", HOSTILE)):
        (data / name).mkdir()
        for number, photo in enumerate(sorted(Path(f"tests/data/photos/{label}").glob("*.webp"))[:4]):
            target = f"{name}/<b>{number}&.webp" if number else os.fsdecode(os.fsencode(name) + b"/\xff.webp")
            (data / target).write_bytes(photo.read_bytes())
    (data / "fish" / "<i>.jpg").write_bytes(b"no image")
    return data


@pytest.fixture(scope="module")
def of_class(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("classes")
    labelled = find(folder, list(pictures([str(folder)])), per_class=None, seed=0)
    evaluated = asyncio.run(evaluate(labelled, SPECS, seed=0, step=lambda _: None))
    write_class_report(target, folder, evaluated, of_classes(evaluated, seed=0))
    return target


@pytest.fixture(scope="module")
def of_copy(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("copies")
    planned = plan(list(pictures([str(folder)])), SPECS, queries=3, seed=1)
    made = tmp_path_factory.mktemp("made")
    evaluated = asyncio.run(evaluate_copies(folder, planned, SPECS, made, seed=0, step=lambda _: None))
    write_copy_report(target, folder, evaluated, of_copies(evaluated, seed=0))
    return target


@pytest.fixture(params=["of_class", "of_copy"])
def report(request: pytest.FixtureRequest) -> Page:
    return Page((request.getfixturevalue(request.param) / "report.html").read_text("utf-8"))


def test_nothing_is_asked_of_anyone_else(report: Page) -> None:
    asked = [
        value
        for _, attributes in report.elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "poster", "data")
    ]
    assert len(asked) > 20
    assert all(value.startswith(("#", "data:")) for value in asked)
    assert "script" not in {tag for tag, _ in report.elements}
    [policy] = [value for value in report.all("meta", "content") if "default-src" in value]
    assert "default-src 'none'" in policy
    assert not re.search(r"url\((?!#|['\"]?data:)|@import", "".join(report.texts))


def test_the_page_is_well_formed_and_whatever_it_refers_to_is_there_once(report: Page) -> None:
    assert report.open == []
    ids = [attributes["id"] for _, attributes in report.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = [value[1:] for value in report.all("a", "href") + report.all("use", "href")]
    assert referred
    assert set(referred) <= set(ids)


def test_names_are_text_whatever_they_are(report: Page) -> None:
    assert not {tag for tag, _ in report.elements} & {"script", "b", "i"}
    said = "".join(report.texts)
    assert HOSTILE in said
    assert "<b>1&.webp" in said or "<b>2&.webp" in said or "<b>3&.webp" in said
    assert "\ufffd.webp" in said


def test_a_reader_hears_each_picture_and_each_mark_and_finds_the_heads_of_tables(report: Page) -> None:
    shown = [attributes for tag, attributes in report.elements if attributes.get("class") == "picture"]
    assert shown
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in shown)
    marks = {text.split(" ", 1)[1] for text in report.texts if re.match(r"\d\. [✓✗]", text)}
    assert marks == {"✓ right", "✗ wrong"}
    kinds = [value for value in report.all("li", "class") if value.startswith("tile")]
    assert len(kinds) == len(shown) > 0
    assert set(report.all("th", "scope")) == {"row", "col"}
    assert report.all("html", "lang") == ["en"]


def test_the_marks_are_those_of_the_classes(of_class: Path, folder: Path) -> None:
    text = (of_class / "report.html").read_text("utf-8")
    [first] = re.findall(r"<h3>(?:fish|&lt;script).*?(?=<h3>)", text, re.DOTALL)[:1]
    query, *found = re.findall(r'<li class="tile (\w+)">.*?</strong>(.*?)<br>', first)[:7]
    assert query[0] == "query"
    assert [kind for kind, _ in found] == ["right" if label == query[1] else "wrong" for _, label in found]


def test_what_was_left_out_is_named_with_its_reason(of_class: Path) -> None:
    assert "fish/&lt;i&gt;.jpg: unsupported_format: " in (of_class / "report.html").read_text("utf-8")


def test_the_plot_is_there_as_files_and_in_the_colour_of_the_page(of_class: Path) -> None:
    image = Image.open(of_class / "pareto.png")
    assert image.size == (1500, 630)
    assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 10
    alone = (of_class / "pareto.svg").read_text("utf-8")
    assert alone.startswith("<?xml")
    assert "bytes per image" in alone
    inside = (of_class / "report.html").read_text("utf-8")
    assert "milliseconds per image</text>" in inside
    assert "fill: currentColor" in inside
    assert "#010203" not in inside


def test_the_same_evaluation_gives_the_same_plot_again(tmp_path: Path) -> None:
    schemes = [
        SchemeResult(scheme=name, measures={"mAP": quality}, bytes_per_image=size, milliseconds=5)
        for name, quality, size in (("a", 0.4, 8), ("b", 0.5, 5000))
    ]
    results = Results(measures=("mAP",), schemes=schemes, counts={}, summary="", differences=[])
    assert inline_pareto(results) == inline_pareto(results)
    write_pareto(tmp_path, results)
    before = (tmp_path / "pareto.svg").read_bytes()
    write_pareto(tmp_path, results)
    assert (tmp_path / "pareto.svg").read_bytes() == before
