"""`pytest-devenv db stamp`: an Alembic database noted as being at a revision, with nothing run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db.asking import agree
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, confirm_option, database_command, force_option, lock_option
from pytest_devenv.cli.db.codes import UsageError
from pytest_devenv.cli.db.guarding import require
from pytest_devenv.guard import Consent, judge_consent
from pytest_devenv.migrate import AlembicEngine

if TYPE_CHECKING:
    from pytest_devenv.settings import Database


@database_command
@click.argument("revision")
@confirm_option
@force_option
@lock_option
def stamp(call: Call, *, revision: str, confirm: str | None, force: bool, lock_timeout_s: float) -> None:
    """Note an Alembic database as being at REVISION (an id, `head`, `base`), and run nothing.

    Shows what is noted now and would be, and asks before it writes.
    """
    database, engine = _stampable(call)
    address = call.address(database)
    consent = None if confirm is None else Consent(confirm)
    if call.tier.changeable:
        require(call, address)
    else:
        judge_consent(database.name, call.tier, consent, where=str(address))
    before, after = engine.current(address), engine.resolve(revision)
    call.report.say(f"{address}\n  {engine.table}: {_told(before)} → {_told(after)}")
    agree(call, f"note {address} as being at {_told(after)}, with nothing run?", force=force or consent is not None)
    with audited(call, address, consented=consent is not None):
        engine.stamp(address, revision, tier=call.tier, consent=consent, lock_timeout_s=lock_timeout_s)
    call.report.say(f"{database.name}: noted as being at {_told(after)}")
    call.report.put(database.name, before=list(before), after=list(after))


def _stampable(call: Call) -> tuple[Database, AlembicEngine]:
    """Return the only database of Alembic's among those that are meant. Raises UsageError."""
    databases = call.migrated()
    engines = {database.name: call.engine(database) for database in databases}
    fitting = tuple(database for database in databases if isinstance(engines[database.name], AlembicEngine))
    database = call.only(fitting or databases)
    engine = engines[database.name]
    if isinstance(engine, AlembicEngine):
        return database, engine
    message = (
        f"{database.name} cannot be stamped\n"
        "  expected: an engine that notes where the database is: alembic\n"
        f"  found: {engine.name}, which notes each migration in a row of its own\n"
        f"  where: {call.settings.file}"
    )
    raise UsageError(message, remedy="see which rows need mending: pytest-devenv db repair")


def _told(revisions: tuple[str, ...]) -> str:
    return ", ".join(revisions) or "base"
