"""The tables and the ratios of one race."""

from collections.abc import Sequence

from benchmarks.extract.contender import Label
from benchmarks.extract.lineup import DECODING, MODEL, PARTS, PIPELINE
from benchmarks.extract.race import Track
from benchmarks.table import Measured, Part, median_ratio

LIMIT = Label("limit", "limit", "the smaller of the bare model and of decoding alone")


def speed(tracks: Sequence[Track], *, title: str) -> Part:
    """Images a second, and how many times as fast the extractor is as each of the others."""
    rates = {track.contender.label: track.rates for track in tracks}
    rates[LIMIT] = [min(pair) for pair in zip(rates[MODEL], rates[DECODING], strict=True)]
    order = [*PARTS, LIMIT, *(label for label in rates if label not in {*PARTS, LIMIT})]
    against = [label for label in order if label not in {*PARTS, PIPELINE}]
    return Part(
        title=title,
        unit="images/s",
        rows=[Measured(name=label.name, values=rates[label], note=label.note) for label in order],
        ratios={f"pipeline_over_{label.key}": median_ratio(rates[PIPELINE], rates[label]) for label in against},
        notes=["a ratio is the median of the rounds' ratios", "same backend: the extractor's own"],
    )


def memory(tracks: Sequence[Track], *, title: str) -> Part:
    """What each contender held while it worked; `max` is its peak."""
    return Part(
        title=title,
        unit="MiB",
        rows=[track.memory_row() for track in tracks if track.contender.label not in PARTS],
        ratios={},
        notes=["proportional set size of all its processes, each second; Kafka, Redis and clients are not counted"],
    )
