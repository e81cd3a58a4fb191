"""How a check asserts what a probe found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_devenv.report.failure import failure_text, summary_line
from pytest_devenv.verdict import State, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_Check = TypeVar("_Check", bound="Callable[..., Any]")
_ASSERTED = "__devenv_probes__"
EVERY_OTHER = "*"


class CheckFailed(AssertionError):  # noqa: N818  # what pytest calls it too
    """A check's verdict is not what it promises. The message is the verdict, in full."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(failure_text(verdict))


class CouldNotLook(Exception):  # noqa: N818  # neither healthy nor unhealthy
    """A check's probe could not look, which pytest reports as an error, not as a failure."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(failure_text(verdict))


def asserts(*probes: str) -> Callable[[_Check], _Check]:
    """Make a test function the check of these probes, by name: one test for each subject that they look at."""

    def mark(function: _Check) -> _Check:
        setattr(function, _ASSERTED, probes)
        return function

    return mark


def asserted(function: object) -> tuple[str, ...]:
    """Return the names of the probes that a test function asserts; none for an ordinary one."""
    probes: tuple[str, ...] = getattr(function, _ASSERTED, ())
    return probes


def judge_before_call(verdict: Verdict, *, cause_is_reported: bool) -> None:
    """Skip or break a check whose verdict is neither pass nor fail.

    One that is blocked is skipped when its cause is reported in this run, and else left to fail with the evidence of
    that cause, so that a run never looks better than the environment is.
    """
    match verdict.state:
        case State.UNKNOWN:
            raise CouldNotLook(verdict)
        case State.OFF:
            pytest.skip(summary_line(verdict))
        case State.BLOCKED if cause_is_reported:
            pytest.skip(f"blocked by {verdict.cause}")
        case _:
            return


def holds(verdict: Verdict) -> None:
    """Assert that what was looked at is as it should be."""
    __tracebackhide__ = True
    if not verdict.passed:
        raise CheckFailed(verdict)
