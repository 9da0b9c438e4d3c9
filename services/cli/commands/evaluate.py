"""`afterimage evaluate`: how well schemes find what belongs together, in one's own pictures."""

import asyncio
import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.pictures import check, pictures
from services.cli.progress import counting
from services.cli.running import err, out, run_locally
from shared.evaluation.metrics import difference

if TYPE_CHECKING:
    from services.cli.evaluation import Evaluation

DEFAULT_SCHEMES = ["efficientnet_lite0@f32", "efficientnet_lite0@i8", "histogram", "phash", "dhash"]
_COLUMNS = ("mAP", "hit@1", "hit@5", "hit@10", "nDCG@10")


def evaluate(
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Pictures; each folder in it is a class.")],
    schemes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENCODER[@CODE]",
            help="As AFTERIMAGE_ENCODER and AFTERIMAGE_CODE, or with a recipe of `fit-code`, or histogram, phash or "
            "dhash. The others are compared with the first.",
            show_default=", ".join(DEFAULT_SCHEMES),
        ),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where results.csv and confusion.json go.")
    ] = None,
    per_class: Annotated[
        int | None, typer.Option(min=2, help="The most pictures of a class, drawn by the seed.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed and pictures give the same figures.")] = 0,
) -> None:
    """Measure how well schemes find pictures of the same class. Needs neither Kafka nor Redis.

    Each picture searches all others, by the bytes and the comparison of the index. Hashes need afterimage[study].
    docs/evaluation.md says what is measured. A picture that cannot be read is named and left out; then it ends with 3.
    """

    async def make() -> Status:
        if not data.is_dir():
            raise Failure(f"there is no folder {str(data)!r}", Status.MISUSED)
        check([str(data)])
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli import evaluation  # noqa: PLC0415 - brings torch, which takes seconds

        specs = [evaluation.SchemeSpec.parse(text) for text in dict.fromkeys(schemes or DEFAULT_SCHEMES)]
        found = await asyncio.to_thread(lambda: list(pictures([str(data)])))
        labelled = evaluation.find(data, found, per_class=per_class, seed=seed)
        with counting(err) as bar:
            tasks = {name: bar.add_task(name, total=len(labelled)) for name in dict.fromkeys(s.encoder for s in specs)}
            evaluated = await evaluation.evaluate(
                labelled, specs, seed=seed, step=lambda name: bar.update(tasks[name], advance=1)
            )
        for name, reason in evaluated.failures.items():
            err.print(f"{name}: {reason}", soft_wrap=True, markup=False)
        rows = _rows(evaluated)
        sentences = _sentences(evaluated, seed)
        if target is not None:
            _write(target, evaluated, rows)
        if as_json:
            print(json.dumps({"images": evaluated.images, "schemes": rows, "differences": sentences}, indent=2))
        else:
            _print(evaluated, rows, sentences)
        return Status.INCOMPLETE if evaluated.failures else Status.OK

    run_locally(make)


def _rows(evaluated: "Evaluation") -> list[dict[str, Any]]:
    rows = []
    for result in evaluated.results:
        quality = result.judged.quality
        values = (quality.average_precision, *quality.hit_at.values(), quality.ndcg_at_10)
        measures = {name: round(float(of_query.mean()), 4) for name, of_query in zip(_COLUMNS, values, strict=True)}
        costs = {"bytes": result.bytes_per_image, "ms": round(result.milliseconds, 2)}
        rows.append({"scheme": str(result.spec), **measures, **costs})
    return rows


def _sentences(evaluated: "Evaluation", seed: int) -> list[str]:
    first, *others = evaluated.results
    return [
        difference(other.judged.quality.average_precision, first.judged.quality.average_precision, seed=seed).sentence(
            str(other.spec), str(first.spec)
        )
        for other in others
    ]


def _print(evaluated: "Evaluation", rows: list[dict[str, Any]], sentences: list[str]) -> None:
    table = Table("scheme", box=None, pad_edge=False)
    for name in (*_COLUMNS, "bytes", "ms"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row["scheme"], *(f"{row[name]:.3f}" for name in _COLUMNS), str(row["bytes"]), f"{row['ms']:.1f}")
    out.print(table)
    learned = f"; codes were fitted to {evaluated.learned_from} others" if evaluated.learned_from else ""
    out.print(f"\n{evaluated.images} images of {len(evaluated.classes)} classes{learned}")
    for sentence in sentences:
        out.print(sentence, soft_wrap=True, markup=False)


def _write(target: Path, evaluated: "Evaluation", rows: list[dict[str, Any]]) -> None:
    confusion = {str(result.spec): result.judged.first_hits.tolist() for result in evaluated.results}
    try:
        target.mkdir(parents=True, exist_ok=True)
        with (target / "results.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        content = {"classes": evaluated.classes, "first_hits": confusion}
        (target / "confusion.json").write_text(json.dumps(content) + "\n")
    except OSError as error:
        raise Failure(f"the results cannot be written to {target}: {error}") from error
