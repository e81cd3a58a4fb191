"""Timing commands in turn, so that a machine whose speed drifts slows them all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RUNS = 7
_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Command:
    """A command to time: its words, where it runs, and what its environment has besides ours."""

    name: str
    words: Sequence[str]
    cwd: Path
    env: Mapping[str, str]

    def run(self) -> float:
        """Run it once and return its wall time in seconds.

        Raises CalledProcessError where it fails, or where it is killed for running into the limit. The wait has no
        timeout of its own: with one, Python asks in steps of up to 50 ms whether the process has ended.
        """
        inherited = {key: value for key, value in os.environ.items() if key not in {"CI", "PYTHONDONTWRITEBYTECODE"}}
        began = time.perf_counter()
        with subprocess.Popen(
            list(self.words),
            cwd=self.cwd,
            env={**inherited, **self.env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            limit = threading.Timer(_LIMIT_S, process.kill)
            limit.start()
            try:
                status = process.wait()
                took_s = time.perf_counter() - began
            finally:
                limit.cancel()
        if status != 0:
            raise subprocess.CalledProcessError(status, list(self.words))
        return took_s


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what, how much, in which unit, and the bound that it is held to."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether it is within its bound; None where it has none."""
        return None if self.bound is None else self.value <= self.bound


def in_turn(commands: Sequence[Command], *, runs: int = RUNS) -> dict[str, list[float]]:
    """Run each command once uncounted, then all of them in turn; return their wall times in seconds, by name."""
    for command in commands:
        command.run()
    times: dict[str, list[float]] = {command.name: [] for command in commands}
    for _ in range(runs):
        for command in commands:
            times[command.name].append(command.run())
    return times


def median_difference_ms(times: Mapping[str, Sequence[float]], one: str, other: str) -> float:
    """Return the median of how much longer `one` took than `other`, pair by pair, in milliseconds."""
    return statistics.median((a - b) * 1000 for a, b in zip(times[one], times[other], strict=True))


def median_ms(times: Mapping[str, Sequence[float]], name: str) -> float:
    """Return the median wall time in milliseconds."""
    return statistics.median(times[name]) * 1000
