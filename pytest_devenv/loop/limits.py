"""Which loops can be timed, and how long that may take; imports nothing, since every run with a loop asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_devenv.settings import Loop

RUNS = 3
LOCK_S = 120.0
_TIMES_ITS_BUDGET = 3


def loops_on(target: TargetName, loops: Iterable[Loop]) -> tuple[Loop, ...]:
    """Return those of some loops that can be timed on a target: what a ConfigMap shows, in a cluster alone."""
    return tuple(each for each in loops if each.observe.config_map is None or target is TargetName.CLUSTER)


def longest_s(loop: Loop) -> float:
    """Return how long one edit is waited for: three times its budget, to know how far it is from that."""
    return _TIMES_ITS_BUDGET * loop.budget_s.total


def deadline_s(loop: Loop, *, runs: int = RUNS) -> float:
    """Return how long timing a loop can take at most, in seconds."""
    return LOCK_S + 2 * (runs + 1) * longest_s(loop)
