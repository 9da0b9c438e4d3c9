"""Write the dashboards that Grafana reads: ``make dashboards``. A test holds them to this code."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.source.bus import BUS_BOARD
from deploy.grafana.source.extraction import EXTRACTION_BOARD
from deploy.grafana.source.index import INDEX_BOARD
from deploy.grafana.source.overview import OVERVIEW_BOARD

FOLDER = Path(__file__).parents[1] / "dashboards"


def dashboards() -> Iterator[tuple[Path, str]]:
    """Every dashboard: its file, and what it says."""
    for board in (OVERVIEW_BOARD, EXTRACTION_BOARD, INDEX_BOARD, BUS_BOARD):
        name = (board.uid or "").partition("-")[2]
        yield FOLDER / f"{name}.json", json.dumps(board, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def main() -> None:
    for path, text in dashboards():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(Path.cwd())}\n")


if __name__ == "__main__":
    main()
