"""Whether a database has the migrations of its folder, each applied once, whole, and as it now stands there."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.errors import DevenvError
from pytest_devenv.probes import commands
from pytest_devenv.probes.asking import asked
from pytest_devenv.probes.postgres import exists_id
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.shared import Shared
from pytest_devenv.targets.environment import database_fault
from pytest_devenv.verdict import Verdict, failed, passed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_devenv.migrate import Status
    from pytest_devenv.settings import Database, Migrations, Settings
    from pytest_devenv.targets.environment import Environment

_EXPLAINED = ("expected", "found", "where")


@dataclass(frozen=True, slots=True)
class _History:
    """A database with migrations, and what its folder and its history said of each other when they were last read."""

    database: Database
    migrations: Migrations
    shared: Shared[Status | Verdict]

    def where(self, environment: Environment) -> str:
        return f"{self.migrations.path} and {environment.address(self.database.name)}"

    def verdict(
        self, reader: str, judge: Callable[[Status, Environment], Verdict], environment: Environment
    ) -> Verdict:
        status = self.shared.get(reader, environment)
        return status if isinstance(status, Verdict) else judge(status, environment)


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of every database that has migrations; those of one database share one reading."""
    for database in settings.databases.values():
        if database.migrations is None:
            continue
        history = _History(database, database.migrations, Shared(partial(_read, database)))
        whole = ("migrations.none_dirty", partial(_none_dirty, history), (exists_id(database),))
        needs = (probe_id(whole[0], database.name),)
        for name, judge, requires in (
            whole,
            ("migrations.all_applied", partial(_all_applied, history), needs),
            ("migrations.none_edited", partial(_none_edited, history), needs),
            ("migrations.none_missing", partial(_none_missing, history), needs),
        ):
            look = partial(history.verdict, name, judge)
            yield Probe(name=name, subject=database.name, look=look, requires=requires, eager=True)


def applied_id(database: Database) -> str:
    """Return the id of the probe that says whether every migration is applied; without migrations, that it is there."""
    if database.migrations is None:
        return exists_id(database)
    return probe_id("migrations.all_applied", database.name)


def _read(database: Database, environment: Environment) -> Status | Verdict:
    from pytest_devenv.migrate import engine_for

    address = environment.address(database.name)
    try:
        return asked(environment, address, engine_for(database, environment.settings.root).status_on)
    except DevenvError as error:
        return told(error, expected=f"migrations of {database.name} that can be read", where=str(address))


def told(error: DevenvError, *, expected: str, where: str) -> Verdict:
    """Return the verdict that an error's message tells, part by part; what it leaves out is given."""
    summary, *lines = error.message.splitlines()
    parts = {"expected": expected, "found": summary, "where": where}
    for line in lines:
        key, colon, text = line.strip().partition(": ")
        if colon and key in _EXPLAINED:
            parts[key] = text
    return failed(
        summary,
        expected=parts["expected"],
        found=parts["found"],
        where=parts["where"],
        remedy=error.remedy or "pytest-devenv db status",
    )


def _none_dirty(history: _History, status: Status, environment: Environment) -> Verdict:
    name = history.database.name
    if not status.dirty:
        return passed(f"{name}: {_counted(len(status.applied))} applied, none half way", applied=len(status.applied))
    first = status.dirty[0]
    return _fault(name, environment) or failed(
        f"migration {first} of {name} is dirty: it began and did not end",
        expected="every migration either applied or absent",
        found=f"dirty: {_listed(status.dirty)}; a part of it may be there",
        where=history.where(environment),
        remedy=f"pytest-devenv db repair {first.version} --database {shlex.quote(name)}",
    )


def _all_applied(history: _History, status: Status, environment: Environment) -> Verdict:
    name, count = history.database.name, len(status.pending)
    if not count:
        current = "" if status.current is None else f", at {status.current}"
        applied = len(status.applied)
        return passed(f"{name}: {_counted(applied)} applied{current}", applied=applied, current=status.current)
    late = f"; {_listed(status.late)} before one that is applied" if status.late else ""
    return _fault(name, environment) or failed(
        f"{_counted(count)} of {name} pending",
        expected=f"every migration of {history.migrations.path} applied",
        found=f"pending: {_listed(status.pending)}{late}",
        where=history.where(environment),
        remedy=commands.migrate(name),
        pending=count,
    )


def _none_edited(history: _History, status: Status, environment: Environment) -> Verdict:
    name, count = history.database.name, len(status.edited)
    if not count:
        return passed(f"{name}: every applied migration is as it was", applied=len(status.applied))
    files = [_relative(each.path, environment) for each in status.edited]
    return failed(
        f"{_counted(count)} of {name} edited after {'it was' if count == 1 else 'they were'} applied",
        expected="files as they were applied",
        found="edited: " + ", ".join(f"{each.version} ({each.description})" for each in status.edited),
        where=history.where(environment),
        remedy=f"restore what was applied (git log --oneline -- {' '.join(files)}) and put the change into a new"
        f" migration; or build the database anew: {commands.reset(name)}",
        edited=count,
    )


def _none_missing(history: _History, status: Status, environment: Environment) -> Verdict:
    name, count = history.database.name, len(status.missing)
    if not count:
        return passed(f"{name}: every applied migration is in the folder", applied=len(status.applied))
    return failed(
        f"{_counted(count)} applied to {name} and missing in {history.migrations.path}",
        expected="a file for every applied migration",
        found=f"applied, and without a file: {_listed(status.missing)}",
        where=history.where(environment),
        remedy=f"git switch to the branch that has {'it' if count == 1 else 'them'} (git log --all --oneline --"
        f" '{history.migrations.path}/*{status.missing[0].version}*'); or build the database anew:"
        f" {commands.reset(name)}",
        missing=count,
    )


def _fault(database: str, environment: Environment) -> Verdict | None:
    """Return what the target said when it migrated: it knows the reason, and holds only while the history agrees."""
    return environment.faults.get(database_fault(database))


def _counted(count: int) -> str:
    return f"{count} migration{'' if count == 1 else 's'}"


def _listed(migrations: tuple[object, ...]) -> str:
    return ", ".join(str(each) for each in migrations)


def _relative(path: Path, environment: Environment) -> str:
    return os.path.relpath(path, environment.settings.root)
