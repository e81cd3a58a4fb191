"""A verdict made of one of our own errors, whose message has the parts of a verdict on lines of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.verdict import Evidence, Verdict, failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.errors import DevenvError


def failure_of(error: DevenvError, *, expected: str, where: str, remedy: str, about: str = "") -> Verdict:
    """Return the failure that an error tells; `expected`, `where` and `remedy` stand in for what it does not say."""
    parts: dict[str, str] = {}
    more: list[str] = []
    for line in error.message.splitlines():
        name, colon, text = line.strip().partition(": ")
        if colon and name in {"expected", "found", "where"} and name not in parts:
            parts[name] = text
        else:
            more.append(line.strip())
    summary = more.pop(0) if more else parts.get("found", type(error).__name__)
    return failed(
        f"{about}{summary}",
        expected=parts.get("expected", expected),
        found=parts.get("found") or summary,
        where=parts.get("where", where),
        remedy=error.remedy or remedy,
        evidence=others("what else was found", more),
    )


def others(title: str, lines: Sequence[str]) -> tuple[Evidence, ...]:
    """Return what else is wrong beside what the failure itself tells, where there is anything."""
    return (Evidence(title, "\n".join(lines)),) if lines else ()
