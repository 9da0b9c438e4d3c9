"""Results on the console."""

from rich.markup import escape
from rich.table import Table

from services.cli.evaluation.results import Results
from services.cli.running import out
from shared.evaluation.transforms import TRANSFORMS


def print_results(results: Results) -> None:
    table = _table("scheme", *results.measures, "bytes", "ms")
    for scheme in results.schemes:
        values = (f"{scheme.measures[name]:.3f}" for name in results.measures)
        table.add_row(escape(scheme.scheme), *values, str(scheme.bytes_per_image), f"{scheme.milliseconds:.1f}")
    out.print(table)
    if results.schemes[0].by_transform:
        out.print("\nrecall@1")
        table = _table("scheme", *TRANSFORMS)
        for scheme in results.schemes:
            values = (f"{scheme.by_transform[name]['recall@1']:.3f}" for name in TRANSFORMS)
            table.add_row(escape(scheme.scheme), *values)
        out.print(table)
    out.print(f"\n{results.summary}")
    for sentence in results.differences:
        out.print(sentence, soft_wrap=True, markup=False)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table
