"""One report out of those of several shards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import DevenvError
from pytest_devenv.report.jsonfile import from_json, to_json
from pytest_devenv.report.model import worst_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.report.model import Entry, Run, ServiceAddress

_NO_TESTS = 5  # pytest's exit code for a run that collected nothing: a shard may well be empty


def merge(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one report of several, each as `to_json` makes it, in an order that does not matter.

    A check that stands in several keeps its worst verdict. The run lasts from the first start to the last end; the
    probes' own times are added up. Raises DevenvError for no report, another version, or different environments.
    """
    runs = sorted(map(from_json, reports), key=lambda run: (_started(run), [entry.nodeid for entry in run.entries]))
    if not runs:
        raise DevenvError("expected at least one report to merge, found none", remedy="name the reports of the shards")
    names = sorted({run.environment for run in runs})
    if len(names) > 1:
        message = f"expected reports of one environment, found {', '.join(names)}"
        raise DevenvError(message, remedy="merge the reports of each environment by themselves")
    first = runs[0]
    ends = [_started(run).timestamp() + run.duration_s for run in runs]
    return to_json(
        replace(
            first,
            services=_services(runs),
            entries=_entries(runs),
            duration_s=max(ends) - _started(first).timestamp(),
            batch_wall_s=max(run.batch_wall_s for run in runs),
            looks_s=sum(run.looks_s for run in runs),
            exit_code=_exit_code([run.exit_code for run in runs]),
            versions={name: version for run in reversed(runs) for name, version in run.versions.items()},
            timings_s=_timings(runs),
            notes=tuple(dict.fromkeys(note for run in runs for note in run.notes)),
        )
    )


def _started(run: Run) -> datetime:
    return datetime.fromisoformat(run.started)


def _services(runs: list[Run]) -> tuple[ServiceAddress, ...]:
    """Return each service once, as the first shard that reached it did."""
    found: dict[str, ServiceAddress] = {}
    for service in (service for run in runs for service in run.services):
        known = found.get(service.service)
        if known is None or (known.address is None and service.address is not None):
            found[service.service] = service
    return tuple(found.values())


def _entries(runs: list[Run]) -> tuple[Entry, ...]:
    """Return each check once; what one shard found wrong is not hidden by another that did not."""
    found: dict[str, Entry] = {}
    for entry in (entry for run in runs for entry in run.entries):
        known = found.setdefault(entry.nodeid, entry)
        if worst_state((known.verdict.state, entry.verdict.state)) is not known.verdict.state:
            found[entry.nodeid] = entry
    return tuple(found.values())


def _timings(runs: list[Run]) -> dict[str, float]:
    """Return the longest of each timing, since shards run side by side."""
    longest: dict[str, float] = {}
    for name, value in (item for run in runs for item in run.timings_s.items()):
        longest[name] = max(value, longest.get(name, value))
    return longest


def _exit_code(codes: list[int]) -> int:
    """Return the gravest exit code; a shard without tests is no failure where another had some."""
    bad = [code for code in codes if code not in {0, _NO_TESTS}]
    if bad:
        return max(bad)
    return 0 if 0 in codes else _NO_TESTS
