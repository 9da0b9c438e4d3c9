"""What a vector takes, by code: in the files of a sealed segment, in memory when they were searched, and growing."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.index.apart import apart
from benchmarks.index.cache import Cache
from benchmarks.index.engines import quantized
from benchmarks.index.engines.afterimage import shard_of
from benchmarks.index.plan import Plan
from benchmarks.index.rows import SCHEME, row_of, upsert_of
from benchmarks.index.sets import clustered_set
from benchmarks.index.workload import K, Vectors, Workload
from benchmarks.memory import resident_bytes
from benchmarks.table import Measured, Part
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat

_FORMATS = (VectorFormat("f32", "cos"), VectorFormat("f16", "cos"), VectorFormat("i8", "cos"))
_MOST_ROWS = 20_000


class Footprint(NamedTuple):
    """Bytes a vector. files: by name."""

    code: float
    files: Mapping[str, float]
    searched: float
    growing: float


def measure(plan: Plan, cache: Cache, *, formats: Sequence[VectorFormat] = _FORMATS) -> Iterator[Part]:
    workload = clustered_set(plan, cache, min(plan.rows))
    rows, ratios = [], {}
    for vector_format in formats:
        found: Footprint = apart(_footprint, workload, vector_format)
        on_disk = sum(found.files.values())
        files = ", ".join(f"{name} {size:.0f}" for name, size in found.files.items())
        name = vector_format.element
        rows += [
            Measured(name=f"{name} on disk", values=[on_disk], note=files),
            Measured(name=f"{name} in memory, sealed", values=[found.searched], note="resident, after searches"),
            Measured(name=f"{name} in memory, growing", values=[found.growing], note="codes, rows and columns"),
        ]
        ratios[f"{name}_disk_over_code"] = on_disk / found.code
    yield Part(
        title=f"Bytes a vector by code, {plan.dimensions} dimensions, one attribute a row",
        unit="bytes a vector",
        rows=rows,
        ratios=ratios,
    )


def _footprint(workload: Path, vector_format: VectorFormat) -> Footprint:
    _measure_growing(Workload.load(workload).base[:1_000], vector_format)  # loads what is loaded once
    vectors = np.array(Workload.load(workload).base[:_MOST_ROWS])
    codes = quantized.codes_of(vectors, vector_format)
    growing = _measure_growing(vectors, vector_format)
    with tempfile.TemporaryDirectory() as folder:
        rows = [row_of(number) for number in range(len(codes))]
        description = write_segment(Path(folder), rows, codes, scheme=SCHEME, vector_format=vector_format)
        del rows
        before = resident_bytes(os.getpid())
        shard = shard_of([SealedSegment.open(Path(folder) / description.name, description)])
        for code in codes:
            shard.search(code.tobytes(), K)
        searched = (resident_bytes(os.getpid()) - before) / len(codes)
        files = {name: file.bytes / len(codes) for name, file in description.files.items()}
    return Footprint(codes.shape[1], files, searched, growing)


def _measure_growing(vectors: Vectors, vector_format: VectorFormat) -> float:
    shard = Shard(vector_format)
    codes = quantized.codes_of(vectors, vector_format)
    before = resident_bytes(os.getpid())
    for number, code in enumerate(codes):
        shard.apply([upsert_of(number, code.tobytes(), offset=number)], position=number)
    return (resident_bytes(os.getpid()) - before) / len(codes)
