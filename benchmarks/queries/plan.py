"""How much is asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """rows: in the index, one shard of them. clients: how many ask at once, each waiting for its answer.

    rounds: turns of each contender. queries, image_queries: of one turn, by one client; more clients ask more.
    """

    threads: int
    rows: int
    clients: tuple[int, ...] = (1, 8, 64)
    rounds: int
    queries: int
    image_queries: int

    def of(self, queries: int, clients: int) -> int:
        """How many are asked in a turn by so many clients: eight of them keep the same machine busier for as long."""
        return max(clients, queries if clients == 1 else 2 * queries)


def full(threads: int, rows: int) -> Plan:
    return Plan(threads=threads, rows=rows, rounds=3, queries=150, image_queries=32)


def quick(threads: int) -> Plan:
    """Enough to see that everything works, and too little for figures."""
    return Plan(threads=threads, rows=500, rounds=1, queries=16, image_queries=4)
