"""Turns that alternate between contenders, so that a machine that changes its pace changes it for all of them."""

import time
from collections.abc import Callable, Mapping

from benchmarks.queries.closed_loop import Ask, Turns, take_turn
from benchmarks.queries.cpu import group_cpu_s
from benchmarks.queries.plan import Plan
from benchmarks.table import Measured, counted

Measurement = dict[tuple[str, int], Turns]
"""By the contender's name and the number of clients."""


async def alternate(
    plan: Plan, what: str, contenders: Mapping[str, Ask], queries: int, *, cpu: Mapping[str, "Cpu"] | None = None
) -> Measurement:
    """Give each a turn in each round, for each number of clients, after one that is not measured.

    queries: of one client in one turn. cpu: by contender, what its turns cost is added to.
    """
    measured: Measurement = {(name, clients): Turns() for clients in plan.clients for name in contenders}
    for ask in contenders.values():
        await take_turn(ask, clients=max(plan.clients), count=plan.of(queries, max(plan.clients)), into=Turns())
    for _ in counted(what, plan.rounds):
        for clients in plan.clients:
            for name, ask in contenders.items():
                count = plan.of(queries, clients)
                meter = (cpu or {}).get(name)
                began = meter.read() if meter else 0.0
                await take_turn(ask, clients=clients, count=count, into=measured[name, clients])
                if meter:
                    meter.add(clients, count, meter.read() - began)
    return measured


class Cpu:
    """What questions cost a worker, with its children."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._spent: dict[int, tuple[int, float]] = {}

    def read(self) -> float:
        return group_cpu_s(self._group)

    def add(self, clients: int, count: int, seconds: float) -> None:
        asked, spent = self._spent.get(clients, (0, 0.0))
        self._spent[clients] = (asked + count, spent + seconds)

    def per_s(self, clients: int) -> float:
        """Questions a second of processor time, asked by so many clients."""
        asked, spent = self._spent[clients]
        return asked / max(spent, 0.01)


def inprocess_per_s(ask: Callable[[int], object], count: int) -> float:
    """The same for a loop in this process, which does nothing else meanwhile."""
    began = time.process_time()
    for number in range(count):
        ask(number)
    return count / (time.process_time() - began)


def rows_of(measured: Measurement, *, notes: Mapping[str, str]) -> list[Measured]:
    return [
        Measured(name=f"{clients:>2} x {name}", values=turns.ms, note=notes.get(name, ""))
        for (name, clients), turns in measured.items()
    ]
