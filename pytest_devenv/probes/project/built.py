"""Whether what builds and fills the databases can be read: migrations by their engine, seeds with their registry."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.errors import DevenvError
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.project.told import failure_of, others
from pytest_devenv.verdict import failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Database, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_ONE_AT_A_TIME = threading.Lock()  # importing the seeds of a folder changes where this interpreter looks for modules
_DEADLINE_S = 60.0  # seeds and Alembic's revisions are imported for it


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield a probe for each folder of migrations, and one for each of seeds."""
    for database in settings.databases.values():
        if database.migrations is not None:
            look = partial(_migrations, database)
            yield Probe(name="migrations.can_be_read", subject=database.name, look=look, deadline_s=_DEADLINE_S)
        if database.seeds is not None:
            look = partial(_seeds, database)
            yield Probe(name="seeds.can_be_read", subject=database.name, look=look, deadline_s=_DEADLINE_S)


def _migrations(database: Database, environment: Environment) -> Verdict:
    from pytest_devenv.migrate import engine_for
    from pytest_devenv.migrate.folder import read_source

    settings = environment.settings
    folder = settings.root / (database.migrations.path if database.migrations is not None else "")
    try:
        found = engine_for(database, settings.root).discover()
        for each in found:
            read_source(each.file)
    except DevenvError as error:
        return failure_of(
            error,
            expected="migrations that can be read",
            where=str(folder),
            remedy=f"mend what is named above in {folder}",
            about=f"{database.name}: ",
        )
    if not found:
        return unknown(
            f"{database.name}: {folder} holds no migration yet",
            where=str(folder),
            remedy=f"write the first: pytest-devenv db create NAME --database {database.name}",
        )
    return passed(f"{database.name}: {len(found)} migrations, the last is {found[-1].version}", migrations=len(found))


def _seeds(database: Database, environment: Environment) -> Verdict:
    from pytest_devenv.seed import SeedFolderError, check, load

    folder = environment.settings.root / (database.seeds or "")
    try:
        with _ONE_AT_A_TIME:
            wrong = check(folder)
        count = len(load(folder).seeds) if not wrong else 0
    except SeedFolderError as error:
        return failure_of(
            error, expected="seeds that can be read", where=str(folder), remedy=f"mend the files in {folder}"
        )
    if not wrong:
        return passed(f"{database.name}: {count} seeds, as their registry says", seeds=count)
    first, *more = wrong
    return failed(
        f"{database.name}: the seed {first.seed} is {first.fault}" + (f", and {len(more)} more" if more else ""),
        expected="seeds that can be read and imported, as their registry says",
        found=first.found,
        where=first.where,
        remedy=first.remedy,
        evidence=others("also", [f"{each.seed}: {each.found} ({each.where})" for each in more]),
    )
