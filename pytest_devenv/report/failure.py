"""What pytest shows of a check that did not pass: in its FAILURES section, and in its short summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.report.details import evidence, facts, remedy
from pytest_devenv.report.lines import Line, Span, one_line, plain, wrap
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from pytest_devenv.verdict import Verdict


def failure_text(verdict: Verdict, *, width: int = 100) -> str:
    """Return all that a verdict says, as plain text without a last line break."""
    label = "to allow it" if verdict.state is State.UNKNOWN else "remedy"
    title: list[Line] = [(Span(row),) for row in wrap(verdict.summary, width)]
    lines = [*title, *facts(verdict, width=width), *remedy(verdict, label=label), *evidence(verdict)]
    return plain(lines).rstrip("\n")


def summary_line(verdict: Verdict) -> str:
    """Return what is wrong and the remedy in one line; of a remedy of several lines, the first."""
    summary = one_line(verdict.summary)
    if not verdict.remedy or not verdict.remedy.strip():
        return summary
    first, *more = verdict.remedy.strip().splitlines()
    return f"{summary} | remedy: {one_line(first)}{' (and more)' if more else ''}"
