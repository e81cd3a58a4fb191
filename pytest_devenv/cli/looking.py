"""Looking at probes from a command: all at once, and told as a run of pytest is told."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_devenv.report.model import Entry, Outcome, Run
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.report.model import ServiceAddress
    from pytest_devenv.settings import Settings
    from pytest_devenv.verdict import Verdict

OUTCOMES = {
    State.PASS: Outcome.PASSED,
    State.FAIL: Outcome.FAILED,
    State.BLOCKED: Outcome.SKIPPED,
    State.UNKNOWN: Outcome.ERROR,
    State.OFF: Outcome.SKIPPED,
}


def entry(probe: Probe, verdict: Verdict) -> Entry:
    """Return a probe and what it found, as the report has it."""
    return Entry.of(probe, verdict, OUTCOMES[verdict.state], nodeid=probe.id)


def run_of(
    *,
    settings: Settings | None,
    target: str,
    why: str,
    entries: Iterable[Entry],
    began: float,
    services: tuple[ServiceAddress, ...] = (),
    batch_wall_s: float = 0.0,
    notes: tuple[str, ...] = (),
) -> Run:
    """Return everything that a report is made of.

    `began` is a Unix time. Without settings, the folder gives the environment its name.
    """
    found = tuple(entries)
    return Run(
        environment=Path.cwd().name if settings is None else settings.name,
        tier="development" if settings is None else settings.environment.value,
        target=target,
        why=why,
        services=services,
        entries=found,
        started=dt.datetime.fromtimestamp(began, dt.UTC).isoformat(timespec="milliseconds"),
        duration_s=time.time() - began,
        batch_wall_s=batch_wall_s,
        looks_s=sum(each.verdict.took_s for each in found),
        versions={
            "pytest-devenv": importlib.metadata.version("pytest-devenv"),
            "python": platform.python_version(),
        },
        notes=notes,
    )


def health(settings: Settings, marks: tuple[str, ...] = ("health",)) -> Run:
    """Look at everything that `pytest -m` would with these marks, and return it as a run.

    The environment is the one that is up, else one that is started for it and ends with it. Raises TargetError.
    """
    from pytest_devenv.every import every_probe
    from pytest_devenv.report.model import service_addresses
    from pytest_devenv.run import Devenv
    from pytest_devenv.targets.choose import choose

    began = time.time()
    probes = every_probe(settings, choose(settings).target)
    chosen = [probe for probe in probes.values() if probe.mark in marks]
    with Devenv(settings, probes) as devenv:
        devenv.look([probe.id for probe in chosen])
        entries = [entry(probe, devenv.verdict(probe.id)) for probe in chosen]
        environment = devenv.environment
        return run_of(
            settings=settings,
            target=environment.target.value,
            why=environment.why,
            entries=entries,
            began=began,
            services=service_addresses(environment),
            batch_wall_s=devenv.batch_wall_s,
            notes=environment.notes,
        )


def tell(run: Run, *, as_json: bool, verbosity: int = 0) -> None:
    """Print the report of a run, for people or for programs."""
    if as_json:
        from pytest_devenv.report.jsonfile import to_json

        click.echo(json.dumps(to_json(run), indent=2, ensure_ascii=False))
        return
    from pytest_devenv.report.terminal import render
    from pytest_devenv.report.view import view_for

    click.echo(render(run, view_for(sys.stdout, verbosity=verbosity)), nl=False)
