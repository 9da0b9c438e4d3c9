"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """rounds: of the extractor's part, each of `round_images` images. The others count single requests."""

    threads: int
    rounds: int
    round_images: int
    image_queries: int
    vector_queries: int
    uploads: int


def full(threads: int) -> Plan:
    return Plan(threads=threads, rounds=5, round_images=160, image_queries=200, vector_queries=300, uploads=150)


def quick(threads: int) -> Plan:
    """Enough to see that everything works, and too little for figures."""
    return Plan(threads=threads, rounds=1, round_images=64, image_queries=10, vector_queries=10, uploads=10)
