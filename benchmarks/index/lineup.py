"""Who takes part in the search.

Nothing is imported before it is made, in a process of its own: faiss and USearch cannot share one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.index.cache import sources
from benchmarks.index.engines.engine import Engine
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD

_SEALED = Path(__file__).parents[2] / "shared" / "index" / "sealed"
_GRAPH = f"{CONNECTIVITY} {EXPANSION_ADD}"


@dataclass(frozen=True, slots=True)
class Entrant:
    """make: the engine, empty. recipe: all that its files depend on beside the vectors."""

    make: Callable[[], Engine]
    recipe: Callable[[], str]


def _made(module: str, name: str, *args: str) -> Engine:
    engine: Engine = getattr(import_module(f"benchmarks.index.engines.{module}"), name)(*args)
    return engine


def _usearch(element: str, metric: str) -> Entrant:
    return Entrant(
        partial(_made, "plain_usearch", "PlainUSearch", element, metric),
        lambda: f"usearch {version('usearch')} {element} {metric} {_GRAPH}",
    )


def _faiss(name: str) -> Entrant:
    return Entrant(partial(_made, "plain_faiss", name), lambda: f"faiss {version('faiss-cpu')} faiss_{name} {_GRAPH}")


OURS = "afterimage"
OURS_F16 = "afterimage_f16"
LINEUP: Mapping[str, Entrant] = {
    OURS: Entrant(partial(_made, "afterimage", "Afterimage"), lambda: f"afterimage {sources(_SEALED)}"),
    OURS_F16: Entrant(partial(_made, "afterimage", "Afterimage", "f16"), lambda: f"afterimage f16 {sources(_SEALED)}"),
    "usearch_f32_ip": _usearch("f32", "ip"),
    "usearch_f16_ip": _usearch("f16", "ip"),
    "usearch_i8_cos": _usearch("i8", "cos"),
    "usearch_i8_l2sq": _usearch("i8", "l2sq"),
    "hnswlib": Entrant(
        partial(_made, "plain_hnswlib", "PlainHnswlib"), lambda: f"hnswlib {version('hnswlib')} {_GRAPH}"
    ),
    "faiss_hnsw": _faiss("hnsw"),
    "faiss_hnsw_sq8": _faiss("hnsw_sq8"),
    "faiss_ivf_pq": _faiss("ivf_pq"),
}
USEARCH = tuple(name for name in LINEUP if name.startswith("usearch"))
