"""What JUnit XML says of a check: pairs for pytest's `user_properties`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.report.lines import clean

if TYPE_CHECKING:
    from pytest_devenv.report.model import Entry


def properties(entry: Entry) -> list[tuple[str, str]]:
    """Return the names and values of what the verdict holds; what it does not hold is left out."""
    verdict = entry.verdict
    pairs = (
        ("devenv_probe", entry.probe),
        ("devenv_verdict", verdict.state.value),
        ("devenv_summary", verdict.summary),
        ("devenv_cause", verdict.cause),
        ("devenv_expected", verdict.expected),
        ("devenv_found", verdict.found),
        ("devenv_where", verdict.where),
        ("devenv_remedy", verdict.remedy),
        ("devenv_took_s", f"{verdict.took_s:.6f}"),
    )
    return [(name, clean(value)) for name, value in pairs if value is not None]
