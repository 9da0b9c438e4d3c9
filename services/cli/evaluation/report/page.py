"""The page of a report: it asks nothing of anyone else, and is read in light and in dark, by eye and by ear."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain

from services.cli.evaluation.report.examples import Examples, Ranking, Tile
from services.cli.evaluation.report.plots import costs_of, front_of
from services.cli.evaluation.report.thumbnails import Thumbnails
from services.cli.evaluation.results import Results

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>Afterimage: {title}</title>
<style>
{style}</style>
</head>
<body>
{symbols}
<header>
<h1>{title}</h1>
<p>{summary}</p>
<nav aria-label="Parts of this report"><ul>{links}</ul></nav>
</header>
<main>
{sections}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """content: HTML."""

    id: str
    title: str
    content: str

    def __str__(self) -> str:
        heading = f'<h2 id="{self.id}-title">{self.title}</h2>'
        return f'<section id="{self.id}" aria-labelledby="{self.id}-title">\n{heading}\n{self.content}\n</section>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """A table whose cells are shaded by their shares, from 0 to 1. own: whether the diagonal is marked."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[str]
    cells: Sequence[Sequence[str]]
    shares: Sequence[Sequence[float]]
    own: bool = False


def page(
    title: str, results: Results, *, plot: str, heats: Sequence[Heat], examples: Examples, left_out: dict[str, str]
) -> str:
    """Return the HTML of a report. Titles, names and reasons are text; plot is an element."""
    thumbnails = Thumbnails()
    sections = [
        Section(id="schemes", title="What each scheme finds", content=_table(results)),
        Section(id="costs", title="What it costs", content=_costs(results, plot)),
        Section(
            id="confusion",
            title="Where it goes wrong",
            content="\n".join(_details(heat, unfolded=not heat.own or heat is heats[0]) for heat in heats),
        ),
        Section(id="examples", title="Some queries", content=_alike(results, examples, thumbnails)),
        Section(id="worst", title="The worst queries", content=_worst(results, examples, thumbnails)),
    ]
    if left_out:
        reasons = "".join(f"<li>{html.escape(name)}: {html.escape(why)}</li>" for name, why in left_out.items())
        sections.append(Section(id="left-out", title="What was left out", content=f"<ul>{reasons}</ul>"))
    links = "".join(f'<li><a href="#{section.id}">{section.title}</a></li>' for section in sections)
    return _PAGE.format(
        title=html.escape(title),
        summary=html.escape(results.summary),
        style=files(__package__).joinpath("style.css").read_text("utf-8"),
        links=links,
        sections="\n".join(map(str, sections)),
        symbols=thumbnails.symbols(),
    )


def _table(results: Results) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in ("scheme", *results.measures, "bytes", "ms"))
    best = {name: max(scheme.measures[name] for scheme in results.schemes) for name in results.measures}
    rows = []
    for number, scheme in enumerate(results.schemes):
        cells = "".join(
            f'<td class="best">{value:.3f}</td>' if value == best[name] else f"<td>{value:.3f}</td>"
            for name, value in scheme.measures.items()
        )
        costs = f"<td>{scheme.bytes_per_image}</td><td>{scheme.milliseconds:.1f}</td>"
        rows.append(f'<tr><th scope="row">{_named(results, number)}</th>{cells}{costs}</tr>')
    differences = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in results.differences)
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="The schemes">'
        "<table><caption>Means over all queries; the best of a column is underlined. Bytes and milliseconds are those "
        f"of one picture.</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f"<ul>{differences}</ul>"
    )


def _costs(results: Results, plot: str) -> str:
    sentences = []
    for name, costs in costs_of(results).items():
        front = ", ".join(_named(results, number) for number in front_of(results, costs))
        sentences.append(f"By {name}, the front is, from the cheapest to the best: {front}.")
    return (
        "<p>Nothing that costs no more is better than what lies on the front, a line with dots; crosses lie behind it. "
        f"The numbers are those of the schemes.</p><figure>{plot}<figcaption>{' '.join(sentences)}</figcaption>"
        "</figure>"
    )


def _details(heat: Heat, *, unfolded: bool) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in heat.columns)
    rows = []
    for number, (name, cells, shares) in enumerate(zip(heat.rows, heat.cells, heat.shares, strict=True)):
        inside = "".join(
            f'<td{" class=own" if heat.own and number == column else ""} style="--share: {share:.3f}">{cell}</td>'
            for column, (cell, share) in enumerate(zip(cells, shares, strict=True))
        )
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{inside}</tr>')
    caption, kind = html.escape(heat.caption), "heat square" if heat.own else "heat"
    return (
        f"<details{' open' if unfolded else ''}><summary>{caption}</summary>"
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}"><table class="{kind}">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _alike(results: Results, examples: Examples, thumbnails: Thumbnails) -> str:
    parts = ["<p>The same queries under every scheme, drawn by the seed.</p>"]
    for rankings in examples.alike:
        query = rankings[0].query
        parts.append(f"<h3>{html.escape(query.name)}: {html.escape(query.note)}</h3>")
        for ranking in rankings:
            parts.append(f"<p>{_named(results, ranking.number)}: {html.escape(ranking.note)}</p>")
            parts.append(_ranking(ranking, thumbnails))
    return "\n".join(parts)


def _worst(results: Results, examples: Examples, thumbnails: Thumbnails) -> str:
    parts = []
    for rankings in examples.worst:
        parts.append(f"<h3>{_named(results, rankings[0].number)}</h3>")
        parts += [f"<p>{html.escape(ranking.note)}</p>{_ranking(ranking, thumbnails)}" for ranking in rankings]
    return "\n".join(parts)


def _ranking(ranking: Ranking, thumbnails: Thumbnails) -> str:
    tiles = chain([_tile(ranking.query, "query", "query", thumbnails)], _found(ranking.found, thumbnails))
    return f'<ol class="ranking">{"".join(tiles)}</ol>'


def _found(found: Iterable[Tile], thumbnails: Thumbnails) -> Iterable[str]:
    for rank, tile in enumerate(found, start=1):
        kind, mark = ("right", "✓ right") if tile.right else ("wrong", "✗ wrong")
        yield _tile(tile, kind, f"{rank}. {mark}", thumbnails)


def _tile(tile: Tile, kind: str, mark: str, thumbnails: Thumbnails) -> str:
    note = f"{html.escape(tile.note)}<br>" if tile.note else ""
    return (
        f'<li class="tile {kind}">{thumbnails.shown(tile.picture, tile.name)}<strong>{mark}</strong>{note}'
        f"{html.escape(tile.name)}</li>"
    )


def _named(results: Results, number: int) -> str:
    return f"{number + 1}. <code>{html.escape(results.schemes[number].scheme)}</code>"
