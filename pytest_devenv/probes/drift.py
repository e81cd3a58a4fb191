"""Whether a database's schema is the one that its migrations build, compared object by object."""

from __future__ import annotations

import difflib
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_devenv.clients.marker import require_changeable
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.errors import GuardError, MigrationError
from pytest_devenv.guard import judge_tier
from pytest_devenv.probes import commands
from pytest_devenv.probes.migrations import told
from pytest_devenv.probes.postgres_refusals import refused
from pytest_devenv.probes.scratch import scratch, sweep
from pytest_devenv.probes.snapshot import take
from pytest_devenv.seed.history import GUARD, ROWS, TABLE, TYPE
from pytest_devenv.settings import MigrationEngine
from pytest_devenv.verdict import Evidence, failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.snapshot import Item, Snapshot
    from pytest_devenv.settings import Database, Migrations
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_MOST_NAMED = 12
_LONG = 240
_HISTORY_TABLES = {
    MigrationEngine.SQLX: ("_sqlx_migrations",),
    MigrationEngine.BUN: ("bun_migrations", "bun_migration_locks"),
    MigrationEngine.ALEMBIC: ("alembic_version",),
}
_SEED_TABLES = (TABLE, ROWS)
_SEED_OBJECTS = (TYPE, f"{GUARD}()")


def compare(database: Database, migrations: Migrations, environment: Environment) -> Verdict:
    """Compare a database with a scratch one that its migrations have just built, on the same server."""
    import psycopg

    settings = environment.settings
    address = environment.address(database.name)
    leave_out = _HISTORY_TABLES[migrations.engine] if migrations.table is None else (migrations.table,)
    if database.seeds is not None:
        leave_out += _SEED_TABLES
    try:
        judge_tier(settings.environment, where=str(address))
        live_connection = connect(address, deadline_s=settings.deadline_s)
    except GuardError as error:
        return _not_allowed(error, address)
    except psycopg.OperationalError as error:
        return refused(environment, address, error)
    with closing(live_connection) as connection:
        try:
            require_changeable(connection, settings.environment, address)
            sweep(connection, address)
            with scratch(connection, address, settings.environment) as empty:
                live = _without_seeds(take(connection, leave_out=leave_out), database)
                built = _built(database, empty, environment, leave_out)
        except GuardError as error:
            return _not_allowed(error, address)
        except MigrationError as error:
            return _not_built(database, address, error)
        except psycopg.errors.InsufficientPrivilege as error:
            user = address.endpoint.user
            return unknown(
                f"{user} may not create the scratch database to compare with: {error.diag.message_primary} (42501)",
                where=str(address),
                remedy=commands.psql(
                    DatabaseAddress(address.endpoint, "postgres"), f'alter role "{user}" createdb', user="postgres"
                ),
            )
    return _verdict(database, address, live, built)


def _built(
    database: Database, empty: DatabaseAddress, environment: Environment, leave_out: tuple[str, ...]
) -> Snapshot:
    """Apply the migrations to an empty database and read what came of it."""
    from pytest_devenv.migrate import engine_for

    settings = environment.settings
    engine_for(database, settings.root).apply(empty, tier=settings.environment)
    with closing(connect(empty, deadline_s=settings.deadline_s)) as connection:
        return take(connection, leave_out=leave_out)


def _without_seeds(live: Snapshot, database: Database) -> Snapshot:
    """Leave out the type and the function that seeding has made for its own history."""
    if database.seeds is None:
        return live
    return {key: item for key, item in live.items() if item.name not in _SEED_OBJECTS}


def _not_allowed(error: GuardError, address: DatabaseAddress) -> Verdict:
    summary = error.message.splitlines()[0]
    return unknown(
        f"no scratch database to compare with: {summary}", where=str(address), remedy=error.remedy or "see docs"
    )


def _not_built(database: Database, address: DatabaseAddress, error: MigrationError) -> Verdict:
    from pytest_devenv.migrate import MissingExtensionError

    if isinstance(error, MissingExtensionError):
        return unknown(error.message.splitlines()[0], where=str(address), remedy=error.remedy)
    expected = f"migrations that build {database.name} from nothing"
    return told(error, expected=expected, where=f"an empty database on {address.endpoint.address}")


def _verdict(database: Database, address: DatabaseAddress, live: Snapshot, built: Snapshot) -> Verdict:
    found = differences(live, built)
    if not found:
        return passed(f"{database.name}: {len(live)} objects, as the migrations build them", objects=len(live))
    named = [sentence for sentence, _ in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        named.append(f"and {len(found) - _MOST_NAMED} more")
    count = f"{len(found)} difference{'' if len(found) == 1 else 's'}"
    return failed(
        f"{database.name} differs from its migrations: {count}",
        expected="the schema that the migrations build",
        found="; ".join(named),
        where=str(address),
        remedy=f"put what is meant to stay into a new migration; to go back to the migrations:"
        f" {commands.reset(database.name)}",
        evidence=tuple(evidence for _, evidence in found[:_MOST_NAMED] if evidence is not None),
        differences=len(found),
    )


def differences(live: Snapshot, built: Snapshot) -> list[tuple[str, Evidence | None]]:
    """Return a sentence for every difference, in the order of kinds and names, and long definitions side by side.

    What is part of something that only one side has is not named apart from it.
    """
    found: list[tuple[str, Evidence | None]] = []
    names_here, names_there = ({item.name for item in side.values()} for side in (live, built))
    for key in sorted(live.keys() | built.keys()):
        here, there = live.get(key), built.get(key)
        if here is None and there is not None:
            if there.part_of is None or there.part_of in names_here:
                found.append((f"{there.kind} {there.name} is missing", None))
        elif there is None and here is not None:
            if here.part_of is None or here.part_of in names_there:
                found.append((f"{here.kind} {here.name} is in no migration", None))
        elif here is not None and there is not None:
            found.extend(_traits(here, there))
    return found


def _traits(here: Item, there: Item) -> Iterator[tuple[str, Evidence | None]]:
    title = f"{here.kind} {here.name}"
    for trait in dict.fromkeys((*here.traits, *there.traits)):
        is_now, was_built = here.traits.get(trait, "none"), there.traits.get(trait, "none")
        if is_now == was_built:
            continue
        if len(is_now) + len(was_built) <= _LONG and "\n" not in is_now + was_built:
            yield f"{title}: {trait} is {is_now}, by the migrations {was_built}", None
        else:
            lines = difflib.unified_diff(
                was_built.splitlines(), is_now.splitlines(), "by the migrations", "in the database", lineterm="", n=1
            )
            yield f"{title}: another {trait}", Evidence(f"{title}: {trait}", "\n".join(lines))
