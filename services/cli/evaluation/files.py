"""Results as files for programs."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.cli.evaluation.classes import Evaluation
from services.cli.evaluation.results import Results


def write_results(folder: Path, results: Results) -> None:
    """Write results.csv, and transforms.csv where copies were judged. Raises OSError."""
    _write_csv(folder / "results.csv", [scheme.row() for scheme in results.schemes])
    rows = [
        {"scheme": scheme.scheme, "transform": transform, **measures}
        for scheme in results.schemes
        for transform, measures in scheme.by_transform.items()
    ]
    if rows:
        _write_csv(folder / "transforms.csv", rows)


def write_confusion(folder: Path, evaluated: Evaluation) -> None:
    """Write how often a picture of one class has one of another as its nearest. Raises OSError."""
    confusion = {str(result.spec): result.judged.first_hits.tolist() for result in evaluated.results}
    content = {"classes": evaluated.classes, "first_hits": confusion}
    (folder / "confusion.json").write_text(json.dumps(content) + "\n")


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
