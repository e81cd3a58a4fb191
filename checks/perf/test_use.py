"""The services get by with the CPU time, the memory and the disk that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.perf.load import fire

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.perf.load import Call
    from pytest_devenv.clients.usage import Usage
    from pytest_devenv.fixtures.budgets import Measure
    from pytest_devenv.fixtures.handles import HttpService

    KeepsBudget = Callable[[str, Measure], None]
    UsageOf = Callable[[str], Usage]

pytestmark = pytest.mark.perf


def test_answers_cost_little_cpu(
    keeps_budget: KeepsBudget, usage: UsageOf, backend: HttpService, questions: list[Call]
) -> None:
    """An answer costs the backend so much CPU time, and no more."""

    def cost() -> float:
        before = usage("backend").cpu_s
        fire(backend, questions * 10)
        return (usage("backend").cpu_s - before) / (10 * len(questions))

    keeps_budget("cpu-of-an-answer", cost)


@pytest.mark.parametrize("name", ["backend", "frontend", "postgres", "redis"])
def test_memory_is_enough(keeps_budget: KeepsBudget, usage: UsageOf, backend: HttpService, name: str) -> None:
    """A service that has work to do needs no more memory than it is given."""
    backend.get("/ready").raise_for_status()
    keeps_budget(f"memory-of-{name}", lambda: usage(name).memory_bytes)


def test_disk_is_enough(keeps_budget: KeepsBudget, usage: UsageOf) -> None:
    """What the database server keeps needs no more of the disk than it is given."""
    keeps_budget("disk-of-postgres", lambda: usage("postgres").disk_bytes)
