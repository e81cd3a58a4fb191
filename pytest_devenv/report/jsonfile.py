"""The report that programs read: docs/report.schema.json says what stands in it."""

from __future__ import annotations

import json
import math
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import DevenvError
from pytest_devenv.report.causes import next_steps, roots
from pytest_devenv.report.model import Entry, Outcome, Run, ServiceAddress, group_name, worst_state
from pytest_devenv.verdict import Verdict

if TYPE_CHECKING:
    from pytest_devenv.report.causes import Root, Step

VERSION = 1
_DIGITS = 6  # a microsecond is less than any clock here can tell


def to_json(run: Run) -> dict[str, Any]:
    """Return a run as plain JSON values; durations are in seconds, except where a name ends in `_ms`."""
    return {
        "version": VERSION,
        "environment": {"name": run.environment, "tier": run.tier, "target": run.target, "why": run.why},
        "state": run.state.value,
        "exit_code": run.exit_code,
        "started": run.started,
        "duration_s": _rounded(run.duration_s),
        "looks": {"batch_wall_s": _rounded(run.batch_wall_s), "sum_s": _rounded(run.looks_s)},
        "timings_s": {name: _rounded(value) for name, value in run.timings_s.items()},
        "versions": dict(run.versions),
        "notes": list(run.notes),
        "counts": {state.value: number for state, number in run.counts.items()},
        "services": [_service(run, service) for service in run.services],
        "checks": [_check(run, entry) for entry in run.entries],
        "roots": [_root(root) for root in roots(run)],
        "next_steps": [_step(step) for step in next_steps(run)],
    }


def _service(run: Run, service: ServiceAddress) -> dict[str, Any]:
    states = [entry.verdict.state for entry in run.entries if group_name(run, entry) == service.service]
    return {
        "name": service.service,
        "kind": service.kind,
        "address": service.address,
        "source": service.source,
        "databases": list(service.databases),
        "state": worst_state(states).value,
    }


def _check(run: Run, entry: Entry) -> dict[str, Any]:
    verdict = entry.verdict.to_json()
    latency = verdict["latency_ms"]
    return {
        "nodeid": entry.nodeid,
        "probe": entry.probe,
        "name": entry.name,
        "subject": entry.subject,
        "mark": entry.mark,
        "group": group_name(run, entry),
        "outcome": entry.outcome.value,
        "verdict": {
            **verdict,
            "took_s": _rounded(verdict["took_s"]),
            "latency_ms": None if latency is None else _rounded(latency),
            "facts": {name: _finite(value) for name, value in verdict["facts"].items()},
        },
    }


def _root(root: Root) -> dict[str, Any]:
    return {
        "probe": root.probe,
        "group": root.service,
        "state": root.state.value,
        "summary": root.title,
        "in_this_run": not root.absent,
        "blocks": [entry.nodeid for entry in root.blocks],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "remedy": step.remedy,
        "mends": [root.probe for root in step.mends],
        "unblocks": [entry.nodeid for entry in step.unblocks],
    }


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)


def _finite(value: Any) -> Any:  # noqa: ANN401  # whatever a fact may be
    """Return a fact, or None for a number that JSON has no word for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(data: dict[str, Any]) -> Run:
    """Make the run that `to_json` wrote. Raises DevenvError for another version of the format."""
    if data.get("version") != VERSION:
        message = f"expected a report of version {VERSION}, found version {data.get('version')!r}"
        raise DevenvError(message, remedy="write the report again with the pytest-devenv that reads it")
    return Run(
        environment=data["environment"]["name"],
        tier=data["environment"]["tier"],
        target=data["environment"]["target"],
        why=data["environment"]["why"],
        services=tuple(_service_from(service) for service in data["services"]),
        entries=tuple(_entry_from(check) for check in data["checks"]),
        started=data["started"],
        duration_s=data["duration_s"],
        batch_wall_s=data["looks"]["batch_wall_s"],
        looks_s=data["looks"]["sum_s"],
        exit_code=data["exit_code"],
        versions=data["versions"],
        timings_s=data["timings_s"],
        notes=tuple(data["notes"]),
    )


def _service_from(data: dict[str, Any]) -> ServiceAddress:
    return ServiceAddress(
        service=data["name"],
        kind=data["kind"],
        address=data["address"],
        source=data["source"],
        databases=tuple(data["databases"]),
    )


def _entry_from(data: dict[str, Any]) -> Entry:
    return Entry(
        nodeid=data["nodeid"],
        probe=data["probe"],
        subject=data["subject"],
        name=data["name"],
        mark=data["mark"],
        outcome=Outcome(data["outcome"]),
        verdict=Verdict.from_json(data["verdict"]),
    )


def write(run: Run, path: Path | str) -> None:
    """Write the report of a run; a reader sees the old file or the whole new one. Folders are made as needed.

    Raises DevenvError where the path cannot be written.
    """
    target = Path(path)
    text = json.dumps(to_json(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # half of a surrogate pair, as an undecodable byte of a log leaves it, becomes the escape that JSON has for it
        with temporary.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"expected to write the report to {target}, found: {reason}"
        raise DevenvError(message, remedy="give --devenv-report a file in a folder that you may write") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
