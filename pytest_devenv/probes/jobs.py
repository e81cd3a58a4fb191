"""Whether a Job has done its work: the databases that it migrates are as they have to be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.migrations import applied_id
from pytest_devenv.probes.root import root
from pytest_devenv.probes.schema import tables_id
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.verdict import off, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.settings import Database, Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the root probe of every Job; it requires what the Job was there to bring about."""
    for service in settings.services.values():
        if service.kind is ServiceKind.JOB:
            databases = migrated_by(settings, service)
            also = [
                each
                for database in databases
                for each in (applied_id(database), tables_id(database))
                if each is not None
            ]
            holds = partial(_fault_holds, databases)
            yield root(settings, service, partial(_completed, databases), also=also, holds=holds)


def migrated_by(settings: Settings, service: Service) -> tuple[Database, ...]:
    """Return the databases that a Job migrates: those it names, else every one with migrations."""
    if service.migrates:
        return tuple(settings.databases[name] for name in service.migrates)
    return tuple(database for database in settings.databases.values() if database.migrations is not None)


def _fault_holds(databases: tuple[Database, ...], environment: Environment) -> bool:
    """Return whether what was said when the Job ran still holds.

    The embedded target migrates for the Job, once. What it met then is told by the probes of the databases, which this
    one requires, for as long as it is so.
    """
    return not (databases and environment.target is TargetName.EMBEDDED)


def _completed(databases: tuple[Database, ...], _: Environment) -> Verdict:
    if not databases:
        return off("it names no database that it migrates, so there is nothing to look at")
    return passed("done: " + ", ".join(f"{database.name} is migrated" for database in databases))
