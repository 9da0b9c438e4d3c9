"""A contact sheet: one HTML file that shows queries and what was found, all images inside it."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

_THUMBNAIL = (220, 220)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Afterimage: {title}</title>
<style>
  :root {{ color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }}
  body {{ margin: 2rem auto; max-width: 1400px; padding: 0 1rem; }}
  section {{ border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: 1rem 0; }}
  .row {{ display: flex; flex-wrap: wrap; gap: .8rem; }}
  figure {{ margin: 0; width: 150px; }}
  figure.query {{ margin-right: 1.2rem; }}
  figure.query img {{ outline: 3px solid #c2410c; outline-offset: 2px; }}
  img {{ width: 150px; height: 150px; object-fit: cover; border-radius: 6px; background: #8883; }}
  figcaption {{ font-size: 12px; overflow-wrap: anywhere; }}
  .score, .time {{ opacity: .65; font-variant-numeric: tabular-nums; }}
</style>
<h1>{title}</h1>
<p class="time">{summary}</p>
{sections}
</html>
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the sheet. path: where it can be read here; without one, or where it cannot, a grey tile stands."""

    id: str
    path: Path | None
    caption: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A query, what it found in order, and what to say of it."""

    query: Picture
    hits: Sequence[Picture]
    note: str


def write_contact_sheet(target: Path, *, title: str, summary: str, findings: Sequence[Finding]) -> None:
    """Raises OSError where `target` cannot be written."""
    sections = "\n".join(_section(finding) for finding in findings)
    target.write_text(
        _PAGE.format(title=html.escape(title), summary=html.escape(summary), sections=sections), encoding="utf-8"
    )


def _section(finding: Finding) -> str:
    hits = "".join(_figure(hit) for hit in finding.hits)
    return (
        f'<section><p class="time">{html.escape(finding.note)}</p>'
        f'<div class="row">{_figure(finding.query, "query")}{hits}</div></section>'
    )


def _figure(picture: Picture, kind: str = "hit") -> str:
    source = _thumbnail(picture.path)
    image = f'<img alt="{html.escape(picture.id)}" src="{source}">' if source else '<img alt="">'
    return (
        f'<figure class="{kind}">{image}<figcaption>{html.escape(picture.id)}<br>'
        f'<span class="score">{html.escape(picture.caption)}</span></figcaption></figure>'
    )


def _thumbnail(path: Path | None) -> str | None:
    """The image as a data URI, small; None where it cannot be read."""
    if path is None:
        return None
    try:
        with Image.open(path) as image:
            image.draft("RGB", _THUMBNAIL)
            small = ImageOps.exif_transpose(image).convert("RGB")
            small.thumbnail(_THUMBNAIL)
            data = io.BytesIO()
            small.save(data, "JPEG", quality=80)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
