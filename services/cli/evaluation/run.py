"""The two ways to evaluate, from pictures to results, with bars and files."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from services.cli.evaluation import files
from services.cli.evaluation.classes import evaluate, find
from services.cli.evaluation.copies import COPYING, evaluate_copies, plan
from services.cli.evaluation.report.plots import check_plots
from services.cli.evaluation.report.writing import write_class_report, write_copy_report
from services.cli.evaluation.results import Results, of_classes, of_copies
from services.cli.evaluation.schemes import SchemeSpec
from services.cli.evaluation.vectors import Step
from services.cli.failures import Failure
from services.cli.pictures import Picture

Outcome = tuple[Results, dict[str, str]]
"""With the reason for each picture, by its name, that was left out."""


async def run_classes(
    data: Path,
    found: Sequence[Picture],
    specs: Sequence[SchemeSpec],
    target: Path | None,
    bar: Progress,
    *,
    per_class: int | None,
    seed: int,
) -> Outcome:
    """Judge by the classes of pictures. Raises Failure and BadSettings."""
    if target is not None:
        check_plots()
    labelled = find(data, found, per_class=per_class, seed=seed)
    step = _step(bar, {spec.encoder: len(labelled) for spec in specs})
    evaluated = await evaluate(labelled, specs, seed=seed, step=step)
    results = of_classes(evaluated, seed)

    def write(folder: Path) -> None:
        files.write_results(folder, results)
        files.write_confusion(folder, evaluated)
        write_class_report(folder, data, evaluated, results)

    await _write(target, write)
    return results, evaluated.failures


async def run_copies(
    data: Path,
    found: Sequence[Picture],
    specs: Sequence[SchemeSpec],
    target: Path | None,
    bar: Progress,
    *,
    queries: int | None,
    seed: int,
) -> Outcome:
    """Judge by the originals of copies, which lie in a temporary folder meanwhile. Raises Failure and BadSettings."""
    if target is not None:
        check_plots()
    planned = plan(found, specs, queries=queries, seed=seed)
    step = _step(bar, {COPYING: len(planned.copied), **{spec.encoder: planned.size for spec in specs}})
    with TemporaryDirectory(prefix="afterimage-copies-") as folder:
        evaluated = await evaluate_copies(data, planned, specs, Path(folder), seed=seed, step=step)
        results = of_copies(evaluated, seed)

        def write(folder: Path) -> None:
            files.write_results(folder, results)
            write_copy_report(folder, data, evaluated, results)

        await _write(target, write)
    return results, evaluated.failures


def _step(bar: Progress, totals: dict[str, int]) -> Step:
    tasks = {name: bar.add_task(name, total=total) for name, total in totals.items()}
    return lambda name: bar.advance(tasks[name])


async def _write(target: Path | None, write: Callable[[Path], None]) -> None:
    if target is None:
        return

    def make() -> None:
        target.mkdir(parents=True, exist_ok=True)
        write(target)

    try:
        await asyncio.to_thread(make)
    except OSError as error:
        raise Failure(f"the results cannot be written to {target}: {error}") from error
