"""`afterimage evaluate`: how well schemes find what belongs together, in one's own pictures."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from services.cli.failures import Failure, Status
from services.cli.pictures import check, pictures
from services.cli.progress import counting
from services.cli.running import err, run_locally

DEFAULT_SCHEMES = ["efficientnet_lite0@f32", "efficientnet_lite0@i8", "histogram", "phash", "dhash"]


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
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where a report and files with all figures go.")
    ] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Search for the originals of changed copies. There need be no classes.")
    ] = False,
    queries: Annotated[
        int | None,
        typer.Option(min=1, help="The most pictures of which copies are made, drawn by the seed.", show_default=False),
    ] = None,
    per_class: Annotated[
        int | None, typer.Option(min=2, help="The most pictures of a class, drawn by the seed.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and pictures give the same figures.")] = 0,
) -> None:
    """Measure how well schemes find pictures of the same class, or originals of copies. Needs neither Kafka nor Redis.

    Each picture searches all others, by the bytes and the comparison of the index. Hashes and --out need
    afterimage[study]. docs/evaluation.md says what is measured. A picture that cannot be read is named and left out;
    then it ends with 3.
    """

    async def make() -> Status:
        if not data.is_dir():
            raise Failure(f"there is no folder {str(data)!r}", Status.MISUSED)
        if per_class is not None and copies:
            raise Failure("--per-class is for classes, and --copies knows none; --queries bounds it", Status.MISUSED)
        if queries is not None and not copies:
            raise Failure("--queries is for --copies; --per-class bounds what is taken of a class", Status.MISUSED)
        check([str(data)])
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli.evaluation.printing import print_results  # noqa: PLC0415 - brings torch, which takes seconds
        from services.cli.evaluation.run import run_classes, run_copies  # noqa: PLC0415
        from services.cli.evaluation.schemes import SchemeSpec  # noqa: PLC0415

        specs = [SchemeSpec.parse(text) for text in dict.fromkeys(schemes or DEFAULT_SCHEMES)]
        found = await asyncio.to_thread(lambda: list(pictures([str(data)])))
        with counting(err) as bar:
            if copies:
                results, failures = await run_copies(data, found, specs, target, bar, queries=queries, seed=seed)
            else:
                results, failures = await run_classes(data, found, specs, target, bar, per_class=per_class, seed=seed)
        for name, reason in failures.items():
            err.print(f"{name}: {reason}", soft_wrap=True, markup=False)
        if as_json:
            print(json.dumps(results.content(), indent=2))
        else:
            print_results(results)
        return Status.INCOMPLETE if failures else Status.OK

    run_locally(make)
