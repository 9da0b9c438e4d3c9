"""What a search is asked for on the command line: images, ids, and several of them with weights."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from services.cli.failures import Failure, Status
from services.cli.sources import local
from shared.events.region import Region
from shared.events.search_requests import Example, SearchRequest

BY_ID = "id:"
_WEIGHTED = re.compile(r"(\d+(?:\.\d+)?)\*(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for, as it was typed."""

    image: str | None = None
    id: str | None = None
    vector: str | None = None
    text: str | None = None
    region: str | None = None
    like: Sequence[str] = ()
    unlike: Sequence[str] = ()

    def problem(self) -> str | None:
        """What is wrong with it; None where nothing is."""
        single = sum(given is not None for given in (self.image, self.id, self.vector, self.text))
        several = bool(self.like or self.unlike)
        if single > 1 or not (single or self.like):
            return "give one of IMAGE, --id, --vector, --text and --batch, or --like"
        if several and (self.vector is not None or self.text is not None):
            return "--like and --unlike go with IMAGE or --id, or alone"
        if self.region is not None and (self.image is None or several):
            return "--region is of IMAGE alone"
        return None

    def request(self, options: SearchRequest) -> SearchRequest:
        """The request. options: all of it but what is asked for. Raises Failure."""
        if self.like or self.unlike:
            first = [self.image] if self.image is not None else [f"{BY_ID}{self.id}"] if self.id is not None else []
            return msgspec.structs.replace(options, examples=read_examples([*first, *self.like], self.unlike))
        data, uri = read_image(self.image)
        return msgspec.structs.replace(
            options,
            image=data,
            uri=uri,
            id=self.id,
            vector=None if self.vector is None else read_vector(self.vector),
            text=self.text,
            region=None if self.region is None else read_region(self.region),
        )


def read_vector(text: str) -> list[float]:
    """Numbers from the command line, or from the file that it names with @. Raises Failure."""
    try:
        source = Path(text[1:]).read_text() if text.startswith("@") else text
        return [float(number) for number in re.split(r"[\s,\[\]]+", source) if number]
    except (OSError, ValueError) as error:
        raise Failure(f"the vector cannot be read: {error}", Status.MISUSED) from error


def read_filter(text: str | None) -> dict[str, object] | None:
    """Raises Failure where the text is no JSON object; what it means, the searcher knows."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise Failure(f"the filter cannot be read as JSON: {error}", Status.MISUSED) from error


def read_image(place: str | None) -> tuple[bytes | None, str | None]:
    """The image as content where it is small, else as a reference that the searcher must be able to read.

    Raises Failure where there is no such file.
    """
    if place is None or "://" in place:
        return None, place
    path = Path(place).expanduser()
    if not path.is_file():
        raise Failure(f"there is no file {place}", Status.MISUSED)
    source = local(path, path.name)
    data = source.inline()
    return (data, None) if data is not None else (None, source.uri)


def read_examples(like: Iterable[str], unlike: Iterable[str]) -> list[Example]:
    """Those that hits should look like, and those that they should not. Raises Failure."""
    return [_example(text, 1.0) for text in like] + [_example(text, -1.0) for text in unlike]


def read_region(text: str) -> Region:
    """Raises Failure."""
    try:
        return Region(*map(float, text.split(",")))
    except (TypeError, ValueError) as error:
        raise Failure(
            f"the region {text!r} cannot be read: it is left,top,right,bottom in shares of the sides, such as "
            f"0.1,0,0.5,1 ({error})",
            Status.MISUSED,
        ) from error


def read_batch(file: str) -> list[SearchRequest]:
    """Requests as a JSON list, or as lines of JSON, from a file or the standard input. Raises Failure."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        if text.lstrip().startswith("["):
            return msgspec.json.decode(text, type=list[SearchRequest])
        return [msgspec.json.decode(line, type=SearchRequest) for line in text.splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise Failure(f"the requests cannot be read: {error}", Status.MISUSED) from error


def _example(text: str, sign: float) -> Example:
    weighted = _WEIGHTED.fullmatch(text)
    weight, place = (float(weighted[1]), weighted[2]) if weighted else (1.0, text)
    if place.startswith(BY_ID):
        return Example(id=place.removeprefix(BY_ID), weight=sign * weight)
    data, uri = read_image(place)
    return Example(image=data, uri=uri, weight=sign * weight)
