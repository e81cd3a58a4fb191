"""The values of a timed loop: its stages, one edit, and several of them together."""

from __future__ import annotations

import enum
import statistics
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_devenv.settings import Loop


class Stage(enum.StrEnum):
    """The parts of the way from an edit to its being live, in their order.

    `detect` ends when the edit was noticed, `build` with what had to be built, `update` when it is where the service
    runs, and `live` when the service answers with it.
    """

    DETECT = "detect"
    BUILD = "build"
    UPDATE = "update"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One edit until it was live: the whole and the stages that could be told apart, in seconds.

    `observer_s` is the most that looking can have added to the whole, `at` the Unix time of the edit.
    """

    total_s: float
    observer_s: float
    at: float
    stages: Mapping[Stage, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What the looking itself cost: seconds for a look at rest, the longest pause between two, and connections made."""

    look_s: float
    longest_pause_s: float
    connections: int
    looks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A loop as it was timed in one go: `carrier` brings the edits to the service, `notes` are remarks for people."""

    loop: Loop
    carrier: str
    url: str
    samples: tuple[Sample, ...]
    looking: Looking
    notes: tuple[str, ...] = ()

    @property
    def total_s(self) -> float:
        """The median from edit to live."""
        return statistics.median(sample.total_s for sample in self.samples)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that could be told apart in any of the edits."""
        return tuple(stage for stage in Stage if any(stage in sample.stages for sample in self.samples))

    def stage_s(self, stage: Stage) -> float | None:
        """Return the median of a stage, None where it could not be told apart."""
        return stage_median(self.samples, stage)


def stage_median(samples: Sequence[Sample], stage: Stage) -> float | None:
    """Return the median of a stage over those samples in which it could be told apart."""
    values = [sample.stages[stage] for sample in samples if stage in sample.stages]
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile of at least one value, between two of them by their distance."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
