"""What a vector takes, by code: in the files of a sealed segment, in memory when they were searched, and growing."""

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
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
from shared.index.codebook import Codebook
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.shard import Shard
from shared.index.vectors import Codes, VectorFormat
from shared.index.warming import warm_up

_DIMENSIONS_A_PART = 8
_MOST_ROWS = 20_000
_ASKED = 2_000
"""Searches, which have looked at all rows by then."""


class Footprint(NamedTuple):
    """Bytes a vector. files: by name."""

    code: float
    files: Mapping[str, float]
    searched: float
    growing: float


def measure(plan: Plan, cache: Cache, *, names: Collection[str] | None = None) -> Iterator[Part]:
    """names: of the formats that are measured; None for all."""
    workload = clustered_set(plan, cache, min(plan.rows))
    rows, ratios = [], {}
    for name, vector_format in _formats(plan.dimensions).items():
        if names is not None and name not in names:
            continue
        found: Footprint = apart(_footprint, workload, vector_format)
        on_disk = sum(found.files.values())
        files = ", ".join(f"{name} {size:.0f}" for name, size in found.files.items())
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


def _formats(dimensions: int) -> Mapping[str, VectorFormat]:
    """The codewords name no vectors, for whose place it does not matter."""
    words = np.random.default_rng(0).standard_normal((dimensions // _DIMENSIONS_A_PART, 256, _DIMENSIONS_A_PART))
    codebook = Codebook(words=words.astype(np.float32), residual=False)
    return {
        "f32": VectorFormat("f32", "cos"),
        "f16": VectorFormat("f16", "cos"),
        "i8": VectorFormat("i8", "cos"),
        "b1": VectorFormat("b1", "hamming"),
        f"pq{codebook.places}": VectorFormat("pq", "cos", codebook),
        f"pq{codebook.places}+f16": VectorFormat("f16", "cos", codebook),
    }


def _footprint(workload: Path, vector_format: VectorFormat) -> Footprint:
    vectors = np.array(Workload.load(workload).base[:_MOST_ROWS])
    warm_up(vector_format)
    _measure_growing(vectors[:1_000], vector_format)  # loads what is loaded once
    _measure_sealed(vectors[:1_000], vector_format)
    growing = _measure_growing(vectors, vector_format)
    searched, files = _measure_sealed(vectors, vector_format)
    return Footprint(_codes_of(vectors[:1], vector_format).shape[1], files, searched, growing)


def _codes_of(vectors: Vectors, vector_format: VectorFormat) -> Codes:
    if vector_format.element == "b1":
        return np.packbits(vectors > 0, axis=1)
    if vector_format.quantizes and vector_format.codebook:
        return vector_format.codebook.codes_of(vectors)
    return quantized.codes_of(vectors, vector_format)


def _measure_sealed(vectors: Vectors, vector_format: VectorFormat) -> tuple[float, Mapping[str, float]]:
    """Return the bytes a vector in memory, after searches, and in the files."""
    codes = _codes_of(vectors, vector_format)
    with tempfile.TemporaryDirectory() as folder:
        rows = [row_of(number) for number in range(len(codes))]
        description = write_segment(Path(folder), rows, codes, scheme=SCHEME, vector_format=vector_format)
        del rows
        before = resident_bytes(os.getpid())
        shard = shard_of([SealedSegment.open(Path(folder) / description.name, description)], vector_format)
        for code in codes[:: max(1, len(codes) // _ASKED)]:
            shard.search(vector_format.query_of(code.tobytes()), K)
        searched = (resident_bytes(os.getpid()) - before) / len(codes)
        files = {name: file.bytes / len(codes) for name, file in description.files.items()}
    return searched, files


def _measure_growing(vectors: Vectors, vector_format: VectorFormat) -> float:
    shard = Shard(vector_format)
    codes = _codes_of(vectors, vector_format)
    before = resident_bytes(os.getpid())
    for number, code in enumerate(codes):
        shard.apply([upsert_of(number, code.tobytes(), offset=number)], position=number)
    return (resident_bytes(os.getpid()) - before) / len(codes)
