"""`pytest-devenv db repair`: the history mended by hand, after it was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db.asking import agree
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, confirm_option, database_command, force_option, lock_option
from pytest_devenv.cli.db.codes import Code, UsageError
from pytest_devenv.cli.db.guarding import require
from pytest_devenv.errors import MigrationError
from pytest_devenv.guard import Consent, judge_consent
from pytest_devenv.migrate import Action, PlainEngine, apply_repair, plan_repair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Applied, Edited, Status
    from pytest_devenv.settings import Database


@database_command
@click.argument("version", required=False)
@click.option("--applied", "action", flag_value="applied", help="All of a dirty migration is there.")
@click.option("--absent", "action", flag_value="absent", help="Nothing of a dirty migration is there.")
@click.option("--edited", "action", flag_value="edited", help="An edit of its file changes nothing in the database.")
@click.option("--forget", "action", flag_value="forget", help="Its file is gone for good.")
@confirm_option
@force_option
@lock_option
def repair(
    call: Call,
    *,
    version: str | None,
    action: str | None,
    confirm: str | None,
    force: bool,
    lock_timeout_s: float,
) -> Code | None:
    """Mend what the history says of one migration; without VERSION, list what needs it (exit code 3).

    A dirty one is shown with its file, and asked about, where neither --applied nor --absent says what is the case.
    Shows the statement and asks before it runs.
    """
    if version is None:
        return _list(call)
    database = _one_with(call, version, None if action is None else Action(action))
    engine, address = _plain(call, database), call.address(database)
    if action is None:
        action = _asked(call, engine, address, version).value
    consent = None if confirm is None else Consent(confirm)
    if call.tier.changeable:
        require(call, address)
    else:
        judge_consent(database.name, call.tier, consent, where=str(address))
    planned = plan_repair(engine, address, version, Action(action))
    call.report.say(f"{address}\n  {planned}\n  {planned.statement}")
    agree(call, f"write that into the history of {address}?", force=force or consent is not None)
    with audited(call, address, consented=consent is not None):
        done = apply_repair(
            engine, address, version, Action(action), tier=call.tier, consent=consent, lock_timeout_s=lock_timeout_s
        )
    call.report.say(f"{database.name}: repaired {done}")
    call.report.put(database.name, version=version, before=done.before, after=done.after, statement=done.statement)
    return None


def _list(call: Call) -> Code:
    code = Code.DONE
    for database in call.migrated():
        seen = call.engine(database).status(call.address(database), deadline_s=call.settings.deadline_s)
        found = [
            *((row.version, "dirty", "") for row in seen.dirty),
            *((change.version, "edited", " --edited") for change in seen.edited),
            *((row.version, "missing", " --forget") for row in seen.missing),
        ]
        for version, state, way in found:
            call.report.say(f"{database.name}: {version} is {state}: pytest-devenv db repair {version}{way}")
        if found:
            code = Code.PENDING
        else:
            call.report.say(f"{database.name}: nothing needs a repair")
        call.report.put(database.name, repairs=[{"version": one, "state": state} for one, state, _ in found])
    return code


def _asked(call: Call, engine: PlainEngine, address: DatabaseAddress, version: str) -> Action:
    """Show a dirty migration and ask what is the case. Raises UsageError for others, and where nobody can be asked."""
    seen = engine.status(address, deadline_s=call.settings.deadline_s)
    dirty = any(row.version == version for row in seen.dirty)
    if not (dirty and call.interactive):
        ways = "--applied (all of it is there) or --absent (nothing is)" if dirty else "--edited or --forget"
        message = f"expected: what is the case with {version}: {ways}\n  found: none of them\n  where: {call.line}"
        raise UsageError(message, remedy="see what needs a repair: pytest-devenv db repair")
    call.report.say(f"{address}: migration {version} began and did not end; a part of it may be there")
    for migration in engine.discover():
        if migration.version == version:
            call.report.say(f"  {migration.file}")
            for line in migration.path.read_text(errors="replace").strip().splitlines():
                call.report.say(f"    {line}")
    question = "what of it is there: all (applied), or nothing, since you removed what was (absent)?"
    choice = click.Choice([Action.APPLIED.value, Action.ABSENT.value])
    return Action(click.prompt(call.report.clean(question), type=choice, err=True))


def _one_with(call: Call, version: str, action: Action | None) -> Database:
    """Return the only database with such a migration: a version is told without its database in most messages."""
    databases = call.migrated()
    if len(databases) == 1:
        return databases[0]
    fitting = []
    for database in databases:
        seen = call.engine(database).status(call.address(database), deadline_s=call.settings.deadline_s)
        if any(one == version for one in _versions(seen, action)):
            fitting.append(database)
    return call.only(tuple(fitting) or databases)


def _versions(seen: Status, action: Action | None) -> list[str]:
    those: Sequence[Applied | Edited] = seen.dirty
    if action is None:
        those = (*seen.dirty, *seen.edited, *seen.missing)
    elif action is Action.EDITED:
        those = seen.edited
    elif action is Action.FORGET:
        those = seen.missing
    return [one.version for one in those]


def _plain(call: Call, database: Database) -> PlainEngine:
    engine = call.engine(database)
    if isinstance(engine, PlainEngine):
        return engine
    message = (
        f"the history of {database.name} cannot be repaired here\n"
        "  expected: an engine that notes each migration in a row of its own: sqlx, bun\n"
        f"  found: {engine.name}, which notes only where the database is\n"
        f"  where: {call.settings.file}"
    )
    raise MigrationError(message, remedy=f"pytest-devenv db stamp --database {database.name} REVISION")
