"""`pytest-devenv db reset`: a database destroyed, and built anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db import audit
from pytest_devenv.cli.db.asking import agree
from pytest_devenv.cli.db.call import Call, database_command, force_option, lock_option
from pytest_devenv.cli.db.guarding import judge
from pytest_devenv.cli.db.rows import told
from pytest_devenv.cli.db.server import administering, recreate
from pytest_devenv.cli.db.setup import build
from pytest_devenv.clients.marker import read_contents, read_identity, require_changeable, write_marker
from pytest_devenv.guard import Origin, judge_tier
from pytest_devenv.migrate import PlainEngine
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.session import connected
from pytest_devenv.migrate.sqlx import lock_key

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Database


@database_command
@click.option("--seed", "with_seeds", is_flag=True, help="Apply the seeds too.")
@force_option
@lock_option
def reset(call: Call, *, with_seeds: bool, force: bool, lock_timeout_s: float) -> None:
    """Destroy a database with all that is in it, and build it anew from its migrations. Asks before it does.

    Owner, locale, settings and grants of the database stay, and so does its audit. Never in production or staging.
    """
    judge_tier(call.tier, where=str(call.settings.file))
    database = call.only(call.seeded() if with_seeds else call.chosen())
    address = call.address(database)
    judge(call, address)
    _read_files(call, database, with_seeds=with_seeds)
    with audit.audited(call, address):
        _make_anew(call, database, address, force=force, lock_timeout_s=lock_timeout_s)
        build(call, database, with_seeds=with_seeds, lock_timeout_s=lock_timeout_s)


def _read_files(call: Call, database: Database, *, with_seeds: bool) -> None:
    """Find out what is wrong with the files while nothing is destroyed yet."""
    if database.migrations is not None:
        call.engine(database).discover()
    if with_seeds and database.seeds is not None:
        from pytest_devenv import seed as seeds

        seeds.load(call.settings.root / database.seeds)


def _make_anew(call: Call, database: Database, address: DatabaseAddress, *, force: bool, lock_timeout_s: float) -> None:
    deadline_s = call.settings.deadline_s
    with connected(address, deadline_s=deadline_s) as connection:
        require_changeable(connection, call.tier, address)
        identity, contents = read_identity(connection), read_contents(connection)
        holds = told(connection, contents)
        agree(call, f"destroy {address}? It holds {holds}", force=force)
        # Who migrates right now is waited for, not cut off.
        with held(connection, _key(call, database), timeout_s=lock_timeout_s, where=str(address)):
            kept = audit.keep(connection)
    with administering(address, deadline_s=deadline_s) as connection:
        lost = recreate(connection, address, identity)
    with connected(address, deadline_s=deadline_s) as connection:
        write_marker(connection, call.tier, Origin.CREATED)
        audit.restore(connection, kept)
    call.report.warn(lost)
    call.report.say(f"{address} is new: what it held is gone ({holds})")
    call.report.put(
        database.name, destroyed={"tables": contents.tables, "rows_estimated": contents.rows}, lost=list(lost)
    )


def _key(call: Call, database: Database) -> int:
    engine = None if database.migrations is None else call.engine(database)
    return engine.dialect.lock_key(database.name) if isinstance(engine, PlainEngine) else lock_key(database.name)
