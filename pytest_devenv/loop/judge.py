"""Judging a timed loop: against its budget, and against what is usual on this machine."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_devenv.loop.model import Measured, Sample, Stage, percentile, stage_median
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_devenv.loop.carrier import Carrier
    from pytest_devenv.loop.measure import NotLiveError
    from pytest_devenv.settings import Budget, Loop
    from pytest_devenv.verdict import Verdict

LEAST_HISTORY = 10
SLOWER = 1.5
_SHORT_S = 0.01


@dataclass(frozen=True, slots=True)
class Slower:
    """How much slower than usual a loop is, by medians in seconds, and the stage that grew most, if one can be told."""

    now_s: float
    usual_s: float
    of: int
    stage: Stage | None
    stage_now_s: float = 0.0
    stage_usual_s: float = 0.0

    def __str__(self) -> str:
        words = f"{self.now_s / self.usual_s:.1f} times as slow as usual here ({said(self.usual_s)}, {self.of} edits)"
        if self.stage is None:
            return words
        return f"{words}: {self.stage} grew from {said(self.stage_usual_s)} to {said(self.stage_now_s)}"


def slower(measured: Measured, usual: Sequence[Sample]) -> Slower | None:
    """Return how much slower a loop is than this machine's median of at least 10 edits; None where it is not.

    More than one and a half times as long counts as slower.
    """
    if len(usual) < LEAST_HISTORY:
        return None
    usual_s = statistics.median(sample.total_s for sample in usual)
    if measured.total_s <= SLOWER * usual_s:
        return None
    grown = [
        (now - before, stage, now, before)
        for stage in measured.stages
        if (now := measured.stage_s(stage)) is not None and (before := stage_median(usual, stage)) is not None
    ]
    if not grown:
        return Slower(measured.total_s, usual_s, len(usual), None)
    _, stage, now, before = max(grown)
    return Slower(measured.total_s, usual_s, len(usual), stage, now, before)


def over_budget(measured: Measured) -> tuple[str, ...]:
    """Return what of a loop takes longer than its budget, by medians: `total`, or stages."""
    budget = measured.loop.budget_s
    return tuple(name for name, now_s, limit_s in _held(measured, budget) if now_s > limit_s)


def limits(budget: Budget) -> dict[Stage, float]:
    """Return the stages that have a budget of their own, in seconds; `live` has none but the whole."""
    return {Stage.DETECT: budget.detect, Stage.BUILD: budget.build, Stage.UPDATE: budget.update}


def verdict(measured: Measured, usual: Sequence[Sample], carrier: Carrier) -> Verdict:
    """Return the verdict on a loop: whether it keeps its budget, and whether it is slower than usual.

    What is only slower passes; the fact `warning` says it.
    """
    than_usual = slower(measured, usual)
    over = over_budget(measured)
    remark = "" if than_usual is None else f"; {than_usual}"
    if not over:
        found = passed(f"an edit is live after {said(measured.total_s)} of {measured.loop.budget_s.total:g} s{remark}")
    else:
        found = failed(
            f"{measured.loop.name} takes {said(measured.total_s)} from edit to live; over budget: {', '.join(over)}",
            expected=f"medians of at most {budgeted(measured.loop)}",
            found=", ".join(stages_said(measured)) + remark,
            where=f"{measured.loop.edit} → GET {measured.url}, {len(measured.samples)} edits by {measured.carrier}",
            remedy=carrier.remedy(),
        )
    return replace(found, facts=_facts(measured, than_usual))


def not_live(loop: Loop, error: NotLiveError) -> Verdict:
    """Return the verdict on a loop whose edit did not arrive."""
    return failed(
        f"an edit of {loop.edit} does not become live",
        expected=f"it in the answer within {loop.budget_s.total:g} s",
        found=f"not there after {error.waited_s:.1f} s, last seen: {error.last_seen}",
        where=f"{loop.edit} → GET {error.url}",
        remedy=error.remedy or "pytest -m health",
    )


def budgeted(loop: Loop) -> str:
    """Return a loop's budget in words."""
    stages = ", ".join(f"{stage} {limit_s:g} s" for stage, limit_s in limits(loop.budget_s).items())
    return f"{loop.budget_s.total:g} s ({stages})"


def stages_said(measured: Measured) -> Iterator[str]:
    """Yield the whole and each stage with its median."""
    yield f"{said(measured.total_s)} in all"
    for stage in measured.stages:
        yield f"{stage} {said(measured.stage_s(stage) or 0.0)}"


def said(seconds: float) -> str:
    """Return a duration as people read it: milliseconds below one second."""
    if seconds < _SHORT_S:
        return f"{1000 * seconds:.1f} ms"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _held(measured: Measured, budget: Budget) -> Iterator[tuple[str, float, float]]:
    yield "total", measured.total_s, budget.total
    for stage, limit_s in limits(budget).items():
        now_s = measured.stage_s(stage)
        if now_s is not None:
            yield stage.value, now_s, limit_s


def _facts(measured: Measured, than_usual: Slower | None) -> dict[str, str | int | float | bool | None]:
    facts: dict[str, str | int | float | bool | None] = {
        "total_s": round(measured.total_s, 4),
        "p95_s": round(percentile([sample.total_s for sample in measured.samples], 95), 4),
        "budget_s": measured.loop.budget_s.total,
        "edits": len(measured.samples),
        "carrier": measured.carrier,
        "observer_ms": round(1000 * statistics.median(sample.observer_s for sample in measured.samples), 2),
    }
    facts |= {f"{stage}_s": round(measured.stage_s(stage) or 0.0, 4) for stage in measured.stages}
    return facts if than_usual is None else facts | {"warning": str(than_usual)}
