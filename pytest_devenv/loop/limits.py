"""How long the timing of a loop may take; imports nothing, since every run with a loop asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.settings import Loop

RUNS = 3
LOCK_S = 120.0
_TIMES_ITS_BUDGET = 3


def longest_s(loop: Loop) -> float:
    """Return how long one edit is waited for: three times its budget, to know how far it is from that."""
    return _TIMES_ITS_BUDGET * loop.budget_s.total


def deadline_s(loop: Loop, *, runs: int = RUNS) -> float:
    """Return how long timing a loop can take at most, in seconds."""
    return LOCK_S + 2 * (runs + 1) * longest_s(loop)
