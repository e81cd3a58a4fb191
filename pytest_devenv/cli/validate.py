"""`pytest-devenv validate`: what the project's files and this machine say of the environment, with nothing started."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import ConfigError
from pytest_devenv.verdict import State, Verdict, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.report.model import Entry, Run
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

FAULTY = 1
UNREADABLE = 2
NOT_ALL_SEEN = 3
_WELL = "valid"
_NOTE = "validate reads files and asks programs; it starts nothing, and no database is looked at"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON: docs/report.schema.json.")
@click.option("--strict", is_flag=True, help="Exit with 3 where something could not be looked at.")
@click.option("-v", "--verbose", is_flag=True, help="List every check, also those that pass or are off.")
def validate(*, as_json: bool, strict: bool, verbose: bool) -> None:
    """Check settings, files, migrations, seeds, manifests, Tiltfile and tools, without an environment.

    A cluster and a container engine are asked where they can be reached; without them, and without Tilt, what only
    they could tell is unknown, and never a failure.

    Exit codes: 0 nothing fails, 1 something does, 2 the settings cannot be read, 3 with --strict: nothing fails, and
    something could not be looked at.
    """
    from pytest_devenv.cli.looking import tell

    began = time.time()
    try:
        settings = load_settings()
    except ConfigError as error:
        run = _unreadable(error, began)
    else:
        run = _looked(settings, began, strict=strict)
    tell(run, as_json=as_json, verbosity=int(verbose))
    raise SystemExit(run.exit_code)


def _looked(settings: Settings, began: float, *, strict: bool) -> Run:
    from pytest_devenv.cli.looking import entry, run_of
    from pytest_devenv.cli.words import refused
    from pytest_devenv.probes.batch import Batch
    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.probes.project.catalog import project_probes
    from pytest_devenv.probes.project.paper import on_paper

    environment = on_paper(settings)
    valid = passed(f"{settings.file.name} describes {len(settings.services)} services")
    first = Probe(name="settings.are_valid", subject=settings.file.name, look=partial(_known, valid))
    probes = {first.id: first, **project_probes(settings, refused)}
    with Batch(probes, environment) as batch:
        batch.start(probes)
        entries = [entry(probe, batch.wait(probe.id)) for probe in probes.values()]
        wall_s = batch.wall_s
    run = run_of(
        settings=settings,
        target=environment.target.value,
        why=environment.why,
        entries=entries,
        began=began,
        batch_wall_s=wall_s,
        notes=(_NOTE,),
    )
    return replace(run, exit_code=_code(run, strict=strict), well=_WELL)


def _code(run: Run, *, strict: bool) -> int:
    if run.counts[State.FAIL]:
        return FAULTY
    seen = not (run.counts[State.UNKNOWN] or run.counts[State.BLOCKED])
    return NOT_ALL_SEEN if strict and not seen else 0


def _unreadable(error: ConfigError, began: float) -> Run:
    """Return the run in which the settings cannot be used: each problem of theirs is one entry."""
    from pytest_devenv.cli.looking import run_of

    run = run_of(
        settings=None,
        target="embedded",
        why="its settings cannot be read",
        entries=_problems(error),
        began=began,
        notes=(_NOTE,),
    )
    return replace(run, exit_code=UNREADABLE, well=_WELL)


def _problems(error: ConfigError) -> Iterator[Entry]:
    from pytest_devenv.cli.looking import entry
    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.probes.project.told import failure_of
    from pytest_devenv.settings.problems import SettingsError

    verdicts: dict[str, Verdict] = {}
    if isinstance(error, SettingsError):
        for each in error.problems:
            verdicts[each.key] = failed(
                f"{each.key} cannot be used",
                expected=each.expected,
                found=each.found,
                where=each.where,
                remedy=each.remedy or f"correct {each.key}: {each.expected}",
            )
    else:
        lost = failure_of(error, expected="settings", where=str(Path.cwd()), remedy="pytest-devenv init --write")
        verdicts["settings"] = replace(lost, summary="there are no settings that can be used")
    for subject, verdict in verdicts.items():
        yield entry(Probe(name="settings.are_valid", subject=subject, look=partial(_known, verdict)), verdict)


def _known(verdict: Verdict, _: Environment) -> Verdict:
    """Look at what has been seen already."""
    return verdict
