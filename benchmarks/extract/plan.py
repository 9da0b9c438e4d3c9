"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """rounds: in each of which every contender has a turn of about `turn_s` seconds, in whole passes over the files."""

    threads: int
    rounds: int
    turn_s: float


def full(threads: int) -> Plan:
    return Plan(threads=threads, rounds=5, turn_s=2.0)


def quick(threads: int) -> Plan:
    """Enough to see that everything works, and too little for figures."""
    return Plan(threads=threads, rounds=1, turn_s=0.0)
