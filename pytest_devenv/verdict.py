"""What looking at one thing found: a state, the facts behind it, and what mends it."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self


class State(enum.StrEnum):
    """The five verdicts. They are never merged: could not look is neither healthy nor unhealthy."""

    PASS = "pass"  # noqa: S105  # a verdict, no password
    FAIL = "fail"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of what was seen, such as the tail of a log or the last events of a pod."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of one probe.

    `summary` is one line for people. A failing verdict says what was `expected`, what was `found`, `where` it looked
    and the `remedy`, a command or edit to paste. `cause` is the id of the probe whose verdict blocks this one.
    `took_s` is the probe's own wall time in seconds, `latency_ms` that of the service's answer in milliseconds.
    """

    state: State
    summary: str
    expected: str | None = None
    found: str | None = None
    where: str | None = None
    remedy: str | None = None
    evidence: tuple[Evidence, ...] = ()
    cause: str | None = None
    took_s: float = 0.0
    latency_ms: float | None = None
    facts: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether what was looked at is as it should be."""
        return self.state is State.PASS

    def timed(self, took_s: float) -> Self:
        """Return this verdict with the wall time that it took, in seconds."""
        return replace(self, took_s=took_s)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values; `from_json` takes them back."""
        data = asdict(self)
        data["state"] = self.state.value
        data["evidence"] = [asdict(piece) for piece in self.evidence]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Make the verdict that `to_json` wrote."""
        return cls(
            **{
                **data,
                "state": State(data["state"]),
                "evidence": tuple(Evidence(**piece) for piece in data["evidence"]),
            }
        )


def passed(summary: str, *, latency_ms: float | None = None, **facts: str | float | bool | None) -> Verdict:
    """Say that what was looked at is as it should be."""
    return Verdict(state=State.PASS, summary=summary, latency_ms=latency_ms, facts=facts)


def failed(  # a failure has these parts, and the order in which they are read
    summary: str,
    *,
    expected: str,
    found: str,
    where: str,
    remedy: str,
    evidence: tuple[Evidence, ...] = (),
    latency_ms: float | None = None,
    **facts: str | float | bool | None,
) -> Verdict:
    """Say that something is wrong: what was expected, found, where it was looked for, and what mends it."""
    return Verdict(
        state=State.FAIL,
        summary=summary,
        expected=expected,
        found=found,
        where=where,
        remedy=remedy,
        evidence=evidence,
        latency_ms=latency_ms,
        facts=facts,
    )


def blocked(cause: str, root: Verdict) -> Verdict:
    """Say that nothing can be said until the probe `cause`, which found `root`, is mended."""
    return Verdict(
        state=State.BLOCKED,
        summary=f"blocked by {cause}: {root.summary}",
        expected=root.expected,
        found=root.found,
        where=root.where,
        remedy=root.remedy,
        evidence=root.evidence,
        cause=cause,
    )


def unknown(
    summary: str, *, where: str | None = None, remedy: str | None = None, evidence: tuple[Evidence, ...] = ()
) -> Verdict:
    """Say that it could not be looked at, which is neither good nor bad news."""
    return Verdict(state=State.UNKNOWN, summary=summary, where=where, remedy=remedy, evidence=evidence)


def off(reason: str) -> Verdict:
    """Say that this is not configured, and so was not looked at."""
    return Verdict(state=State.OFF, summary=reason)
