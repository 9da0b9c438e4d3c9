"""What an installation of a size takes, by arithmetic from what was measured. docs/scaling.md says how good that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

EXTRACTED_PER_S = 109
"""Images a second and core through the extractor, with the default encoder on OpenVINO: docs/benchmarks.md."""
SEALED_BYTES = 245
"""A row of a sealed segment besides its code: links 128, id, offset, times and uri 95, attributes 10, the rest 12."""
RECORD_BYTES = 170
"""A record of images.features besides its code, and so of the log in Redis: id, uri, scheme, positions, Kafka's own."""
BUILT_PER_S = 1_200
"""Rows a second and core that a segment's graph takes in, of codes of 1,280 bytes."""
SEALED_AT = 20_000
MERGED_UP_TO = 500_000
"""Rows of a segment when it is sealed first, and beyond which it is not merged by itself."""
WALK_S = 0.000_75
"""Of a core, in one segment, by the default effort."""
SCAN_S = 73e-9
"""Of a core, for a row that grows."""
QUERY_S = 0.000_6
"""Of a core, for a query besides: Kafka, decoding, the reply."""
APPLIED_PER_S = 9_000
"""Operations a second that a searcher takes in beside searches that never end."""
LOG_WINDOW = 100_000
"""Operations of a shard in Redis, as INDEXER_LOG_WINDOW has it by default."""
_BUSY = 0.6
"""The share of a core that is planned with: the rest is for bursts, restarts and what was not measured."""
_SHARD_ROWS = 5_000_000
"""Images of a shard: ten segments, rebuilt from Kafka in minutes."""
_KAFKA_COPIES = 3
_KAFKA_UNCLEANED = 1.5
"""What a compacted topic takes over its live records before they are cleaned."""
_STORED = 2.0
"""What a store holds over the live segments: the two manifests before name segments that were merged since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of the installation, at the busiest.

    images: that are searchable. by_image: the share of queries that bring an image. code_bytes: of a code. copies: of
    each shard, in searchers. gpu_images_per_s: of one GPU, where those extract; nothing of ours measured one.
    """

    images: float
    uploads_per_s: float
    queries_per_s: float
    by_image: float = 0.5
    code_bytes: int = 1280
    copies: int = 2
    gpu_images_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """amount: in `unit`, which is cores, bytes, days or a plain number (empty). why: the arithmetic, in words."""

    name: str
    amount: float
    unit: str
    why: str


def plan(load: Load) -> Sequence[Line]:
    """Return what the load takes, line by line. Raises ValueError for what cannot be."""
    if min(load.images, load.copies, load.code_bytes) < 1 or min(load.uploads_per_s, load.queries_per_s) < 0:
        raise ValueError("images, copies and bytes of a code are at least one, and rates are not negative")
    if not 0 <= load.by_image <= 1:
        raise ValueError(f"the share of queries by image lies between 0 and 1, and {load.by_image} does not")
    build_s = (1 + math.log2(MERGED_UP_TO / SEALED_AT)) / BUILT_PER_S
    shards = max(
        math.ceil(load.images / _SHARD_ROWS),
        math.ceil(load.uploads_per_s / (_BUSY * APPLIED_PER_S)),
        math.ceil(load.uploads_per_s * build_s / _BUSY),
        1,
    )
    segments = math.ceil(load.images / shards / MERGED_UP_TO)
    query_s = QUERY_S + shards * (segments * WALK_S + SEALED_AT / 2 * SCAN_S) + load.by_image / EXTRACTED_PER_S
    row = load.code_bytes + SEALED_BYTES
    sealed = load.images * row
    indexing = load.uploads_per_s * build_s / _BUSY
    searching = load.queries_per_s * query_s / _BUSY
    return [
        Line(
            name="partitions, which are the shards",
            amount=shards,
            unit="",
            why=f"at most {_SHARD_ROWS:,} images each, and what one indexer seals and one searcher takes in",
        ),
        _extracting(load),
        Line(
            name="cores of indexers",
            amount=math.ceil(indexing) or 1,
            unit="cores",
            why=f"each image goes into a graph {build_s * BUILT_PER_S:.1f} times, until {MERGED_UP_TO:,} are in one",
        ),
        Line(
            name="cores of searchers",
            amount=max(load.copies, math.ceil(searching)),
            unit="cores",
            why=f"a query takes {1000 * query_s:,.1f} ms of a core, in {shards * segments:,} segments",
        ),
        Line(
            name="memory of searchers",
            amount=load.copies * sealed,
            unit="bytes",
            why=f"{row:,} bytes an image, {load.copies} copies, all of it in memory",
        ),
        Line(
            name="disks of searchers and indexers",
            amount=(load.copies + 1) * 2 * sealed,
            unit="bytes",
            why="the same, and as much again while segments are merged and exchanged",
        ),
        Line(
            name="the store of segments",
            amount=_STORED * sealed,
            unit="bytes",
            why="three manifests, and what they name",
        ),
        Line(
            name="Redis",
            amount=shards * LOG_WINDOW * (load.code_bytes + RECORD_BYTES),
            unit="bytes",
            why=f"the last {LOG_WINDOW:,} operations of each shard",
        ),
        Line(
            name="Kafka, images.features",
            amount=_KAFKA_COPIES * _KAFKA_UNCLEANED * load.images * (load.code_bytes + RECORD_BYTES),
            unit="bytes",
            why=f"{_KAFKA_COPIES} copies, and what is not cleaned yet",
        ),
        _backfill(load),
    ]


def _extracting(load: Load) -> Line:
    if load.gpu_images_per_s:
        return Line(
            name="GPUs of extractors",
            amount=math.ceil(load.uploads_per_s / (_BUSY * load.gpu_images_per_s)) or 1,
            unit="",
            why=f"{load.gpu_images_per_s:,.0f} images a second each, as you say",
        )
    return Line(
        name="cores of extractors",
        amount=math.ceil(load.uploads_per_s / (_BUSY * EXTRACTED_PER_S)) or 1,
        unit="cores",
        why=f"{EXTRACTED_PER_S} images a second each",
    )


def _backfill(load: Load) -> Line:
    """How long it takes to index all images anew with the extractors of the busiest hour."""
    per_s = max(load.uploads_per_s, load.gpu_images_per_s or EXTRACTED_PER_S)
    return Line(
        name="indexing all of them anew",
        amount=load.images / per_s / 86_400,
        unit="days",
        why=f"at {per_s:,.0f} images a second, as at the busiest",
    )
