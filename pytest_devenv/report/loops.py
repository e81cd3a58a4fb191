"""A timed loop for people: its stages with median, 95th percentile, budget and what is usual, and a histogram."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from pytest_devenv.loop.judge import LEAST_HISTORY, limits, said
from pytest_devenv.loop.model import percentile, stage_median

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from pytest_devenv.loop.model import Measured, Sample, Stage
    from pytest_devenv.verdict import Verdict

_BUCKETS = 8
_WIDEST_BAR = 32
_FEWEST_FOR_A_HISTOGRAM = 3


def shown(measured: Measured, usual: Sequence[Sample], verdict: Verdict) -> Iterator[RenderableType]:
    """Yield what is printed of a loop."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    loop = measured.loop
    yield Text(loop.name, style="bold") + Text(f"  {loop.edit} → GET {measured.url}", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("stage", "median", "p95", "budget", "usual here"):
        table.add_column(name, justify="left" if name == "stage" else "right", no_wrap=True)
    for row in _rows(measured, usual):
        table.add_row(*row)
    yield Padding(table, (0, 0, 0, 2), expand=False)
    if len(measured.samples) >= _FEWEST_FOR_A_HISTOGRAM:
        for line in histogram([sample.total_s for sample in measured.samples]):
            yield Text(f"  {line}")
    yield Text(f"  {_looking(measured)}", style="dim")
    for note in measured.notes:
        yield Text(f"  {note}", style="yellow")
    yield from _outcome(verdict)


def histogram(values: Sequence[float]) -> Iterator[str]:
    """Yield one line for each of some equal parts of the way from the least to the greatest value, with its count."""
    least, greatest = min(values), max(values)
    width = (greatest - least) / _BUCKETS or 1.0
    counts = [0] * _BUCKETS
    for value in values:
        counts[min(_BUCKETS - 1, int((value - least) / width))] += 1
    last = _BUCKETS if greatest > least else 1
    names = [said(least + index * width) for index in range(last)]
    column = max(len(name) for name in names)
    for name, number in zip(names, counts, strict=False):
        bar = "█" * max(1 if number else 0, round(_WIDEST_BAR * number / max(counts)))
        yield f"{name:>{column}} {bar} {number or ''}".rstrip()


def plain(measured: Measured, usual: Sequence[Sample], verdict: Verdict) -> dict[str, Any]:
    """Return a timed loop as plain values; times in seconds."""
    return {
        "loop": measured.loop.name,
        "edit": measured.loop.edit,
        "url": measured.url,
        "carrier": measured.carrier,
        "total_s": _summary([sample.total_s for sample in measured.samples]),
        "stages_s": {stage.value: _summary(_values(measured, stage)) for stage in measured.stages},
        "usual": {
            "edits": len(usual),
            "total_s": statistics.median(sample.total_s for sample in usual) if usual else None,
        },
        "observer": {
            "added_s": _summary([sample.observer_s for sample in measured.samples]),
            "look_s": measured.looking.look_s,
            "longest_pause_s": measured.looking.longest_pause_s,
            "looks": measured.looking.looks,
            "connections": measured.looking.connections,
        },
        "samples": [
            {
                "at": sample.at,
                "total_s": sample.total_s,
                "observer_s": sample.observer_s,
                "stages_s": {stage.value: value for stage, value in sample.stages.items()},
            }
            for sample in measured.samples
        ],
        "notes": list(measured.notes),
        "verdict": verdict.to_json(),
    }


def _rows(measured: Measured, usual: Sequence[Sample]) -> Iterator[tuple[str, ...]]:
    budgets = limits(measured.loop.budget_s)
    known = len(usual) >= LEAST_HISTORY
    for stage in measured.stages:
        before = stage_median(usual, stage) if known else None
        limit_s = budgets.get(stage)
        yield (
            stage.value,
            *_median_and_p95(_values(measured, stage)),
            "" if limit_s is None else said(limit_s),
            "" if before is None else said(before),
        )
    usual_s = said(statistics.median(sample.total_s for sample in usual)) if known else f"{len(usual)} edits so far"
    totals = [sample.total_s for sample in measured.samples]
    yield ("total", *_median_and_p95(totals), said(measured.loop.budget_s.total), usual_s)


def _median_and_p95(values: Sequence[float]) -> tuple[str, str]:
    return said(statistics.median(values)), said(percentile(values, 95))


def _values(measured: Measured, stage: Stage) -> list[float]:
    return [sample.stages[stage] for sample in measured.samples if stage in sample.stages]


def _summary(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": statistics.median(values),
        "p95": percentile(values, 95),
        "min": min(values),
        "max": max(values),
    }


def _looking(measured: Measured) -> str:
    added_s = statistics.median(sample.observer_s for sample in measured.samples)
    looking = measured.looking
    connections = "one connection" if looking.connections == 1 else f"{looking.connections} connections"
    return (
        f"looking added at most {1000 * added_s:.1f} ms: {looking.looks} looks over {connections}, "
        f"{1000 * looking.look_s:.1f} ms each at rest, {1000 * looking.longest_pause_s:.1f} ms the longest pause"
    )


def _outcome(verdict: Verdict) -> Iterator[RenderableType]:
    from rich.text import Text

    if verdict.passed:
        warned = "warning" in verdict.facts
        yield Text(f"  {verdict.summary}", style="yellow" if warned else "green")
        return
    yield Text(f"  {verdict.summary}", style="red")
    for name in ("expected", "found", "where", "remedy"):
        yield Text(f"    {name}: {getattr(verdict, name)}")
