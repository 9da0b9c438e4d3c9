"""The report of an evaluation, as files."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.cli.evaluation.classes import Evaluation
from services.cli.evaluation.copies import CopyEvaluation
from services.cli.evaluation.report import examples
from services.cli.evaluation.report.page import Heat, page
from services.cli.evaluation.report.plots import inline_pareto, write_pareto
from services.cli.evaluation.results import Results
from services.cli.pictures import Picture
from shared.evaluation.transforms import TRANSFORMS

_MOST_CLASSES = 30


def write_class_report(folder: Path, data: Path, evaluated: Evaluation, results: Results) -> None:
    """Write report.html, pareto.svg and pareto.png. Raises OSError."""
    heats = [
        _confusion(f"{number}. {result.spec}", evaluated.classes, result.judged.first_hits)
        for number, result in enumerate(evaluated.results, start=1)
    ]
    _write(folder, data, results, heats, examples.of_classes(data, evaluated), evaluated.failures)


def write_copy_report(folder: Path, data: Path, evaluated: CopyEvaluation, results: Results) -> None:
    """The same of copies, while these are there. Raises OSError."""
    names = [f"{number}. {scheme.scheme}" for number, scheme in enumerate(results.schemes, start=1)]
    heats = []
    for measure in ("recall@1", "microAP"):
        shares = [[scheme.by_transform[name][measure] for name in TRANSFORMS] for scheme in results.schemes]
        cells = [[f"{share:.3f}" for share in row] for row in shares]
        heats.append(
            Heat(
                caption=f"{measure} of each transform", columns=list(TRANSFORMS), rows=names, cells=cells, shares=shares
            )
        )
    _write(folder, data, results, heats, examples.of_copies(data, evaluated), evaluated.failures)


def _confusion(name: str, classes: tuple[str, ...], first_hits: npt.NDArray[np.int64]) -> Heat:
    """Of more classes than fit, those that are found worst."""
    totals = first_hits.sum(axis=1)
    shown = np.arange(len(classes))
    if len(classes) > _MOST_CLASSES:
        missed = totals - first_hits.diagonal()
        shown = np.sort(np.argsort(-missed, kind="stable")[:_MOST_CLASSES])
    part = first_hits[np.ix_(shown, shown)]
    shares = part / np.maximum(1, totals[shown])[:, None]
    some = f", the {_MOST_CLASSES} classes of {len(classes)} that it misses most" if len(shown) < len(classes) else ""
    return Heat(
        caption=f"{name}: the class of a picture (row) and of what it has as its nearest (column){some}",
        columns=[classes[one] for one in shown],
        rows=[classes[one] for one in shown],
        cells=[[str(count) if count else "" for count in row] for row in part.tolist()],
        shares=shares.tolist(),
        own=True,
    )


def _write(
    folder: Path,
    data: Path,
    results: Results,
    heats: list[Heat],
    shown: examples.Examples,
    left_out: dict[str, str],
) -> None:
    write_pareto(folder, results)
    title = f"What {len(results.schemes)} schemes find in {Picture(data.resolve().name).name}"
    content = page(title, results, plot=inline_pareto(results), heats=heats, examples=shown, left_out=left_out)
    (folder / "report.html").write_text(content, encoding="utf-8")
