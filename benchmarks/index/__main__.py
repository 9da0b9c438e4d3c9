"""Run the benchmark of the index: ``python -m benchmarks.index``. The last line is JSON with the ratios."""

import argparse
import json
import tempfile
import time
from collections.abc import Collection, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.index.cache import Cache
from benchmarks.index.lineup import LINEUP
from benchmarks.index.plan import Plan, full, quick
from benchmarks.machine import describe
from benchmarks.table import Part, say

# Modules with a `measure`. Each is imported when its turn comes: what is imported here, every child imports too.
PARTS = ("search", "ingesting", "applying", "churn", "bootstrap", "filtered", "formats", "codewords", "peers")

_PEERS = ("usearch", "hnswlib", "faiss-cpu", "milvus-lite", "lancedb", "chromadb")
HEADLINES = (
    "search_over_usearch_r95",
    "search_over_usearch_r99",
    "search_over_best_r95",
    "search_while_ingesting",
    "replica_apply_over_usearch_add",
    "churn_recall_min",
    "churn_memory_ratio",
    "search_over_milvus_lite",
    "search_over_lancedb",
    "search_over_chromadb",
)
"""Come first in the last line."""


def main() -> None:
    options = _options()
    started = time.perf_counter()
    print(describe())
    print("compared with: " + ", ".join(f"{name} {version(name)}" for name in _PEERS))
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as scratch:
        cache = Cache(options.cache or Path(scratch))
        plan = quick() if options.quick else full(options.rows, options.engines)
        for name in options.only:
            for part in _measured(name, plan, cache):
                part.show()
                ratios |= part.ratios
    say(f"done in {time.perf_counter() - started:.0f} s")
    first = {name: ratios[name] for name in HEADLINES if name in ratios}
    print(json.dumps({name: round(value, 3) for name, value in (first | ratios).items()}))


def _measured(name: str, plan: Plan, cache: Cache) -> Iterator[Part]:
    return import_module(f"benchmarks.index.{name}").measure(plan, cache)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.index",
        description="How fast the index is, as ratios against what else one would use, on the same vectors.",
    )
    parser.add_argument("--quick", action="store_true", help="see that everything works (no figures worth keeping)")
    parser.add_argument(
        "--rows",
        type=lambda text: [int(size) for size in text.split(",")],
        default=[100_000],
        metavar="N,...",
        help="sizes of the clustered sets",
    )
    parser.add_argument(
        "--only",
        type=lambda text: _known(text.split(","), PARTS),
        default=list(PARTS),
        metavar="PART,...",
        help=f"of {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--engines",
        type=lambda text: _known(text.split(","), LINEUP),
        default=list(LINEUP),
        metavar="NAME,...",
        help=f"who takes part in the search, of {', '.join(LINEUP)}; at a million rows each takes minutes to build",
    )
    parser.add_argument("--cache", type=Path, help="a folder to keep vectors and graphs in, for the next run")
    return parser.parse_args()


def _known(names: list[str], of: Collection[str]) -> list[str]:
    if unknown := set(names) - set(of):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(of)}")
    return names


if __name__ == "__main__":
    main()
