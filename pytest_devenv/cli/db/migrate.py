"""`pytest-devenv db migrate`: apply what is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db.asking import typed_name
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, confirm_option, database_command, lock_option
from pytest_devenv.cli.db.codes import Code
from pytest_devenv.cli.db.guarding import judge
from pytest_devenv.cli.db.steps import Done, as_facts, print_plan
from pytest_devenv.guard import Consent, judge_consent

if TYPE_CHECKING:
    from pytest_devenv.cli.db.rows import Rows
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine, Plan
    from pytest_devenv.settings import Database


@database_command
@click.option("--dry-run", is_flag=True, help="Show what would run, and change nothing.")
@click.option("--verbose", is_flag=True, help="Show the SQL of each migration that runs.")
@click.option("--to", metavar="VERSION", help="Apply no later one than this.")
@confirm_option
@lock_option
def migrate(  # one parameter for each option
    call: Call, *, dry_run: bool, verbose: bool, to: str | None, confirm: str | None, lock_timeout_s: float
) -> Code:
    """Apply what is pending, to one database or to every one that has migrations.

    An empty database is marked as one of this environment; one that holds data has to be adopted first. In production
    and staging the SQL is shown, the database's name has to be typed or given with --confirm, and the schema and the
    number of rows are looked at afterwards.
    """
    if call.database is None and confirm is not None and not call.tier.changeable:
        call.database = confirm
    code = Code.DONE
    for database in call.migrated():
        address, engine = call.address(database), call.engine(database)
        if dry_run:
            plan = engine.plan(address, to)
            print_plan(call, address, plan)
            call.report.put(database.name, **as_facts(plan))
        elif call.tier.changeable:
            apply(call, database, to=to, verbose=verbose, lock_timeout_s=lock_timeout_s)
        else:
            code = max(code, _with_consent(call, database, engine, to, confirm, lock_timeout_s))
    return code


def apply(
    call: Call,
    database: Database,
    *,
    to: str | None = None,
    verbose: bool = False,
    consent: Consent | None = None,
    lock_timeout_s: float,
) -> None:
    """Apply what is pending to one database, note it in the audit, and say what was done."""
    address, engine = call.address(database), call.engine(database)
    if consent is None:
        judge(call, address)
    if verbose:
        print_plan(call, address, engine.plan(address, to))
    with (
        audited(call, address, consented=consent is not None),
        Done(call, address, "applied", f"migrating {database.name}") as done,
    ):
        done.result = engine.apply(
            address,
            tier=call.tier,
            to=to,
            consent=consent,
            lock_timeout_s=lock_timeout_s,
            on_progress=done.step,
        )


def _with_consent(
    call: Call, database: Database, engine: Engine, to: str | None, confirm: str | None, lock_timeout_s: float
) -> Code:
    """Apply to a production or staging database, after a person has seen what will run, and look at it afterwards."""
    from pytest_devenv.cli.db.verify import rows_of

    address = call.address(database)
    if confirm is not None or not call.interactive:
        judge_consent(database.name, call.tier, _consent(confirm), where=str(address))
    plan = engine.plan(address, to)
    print_plan(call, address, plan)
    if not plan.steps:
        call.report.put(database.name, **as_facts(plan))
        return Code.DONE
    if confirm is None:
        confirm = typed_name(call, f"{call.tier}: type the name of the database to migrate {address}")
        judge_consent(database.name, call.tier, _consent(confirm), where=str(address))
    before = rows_of(address, deadline_s=call.settings.deadline_s)
    apply(call, database, to=to, consent=_consent(confirm), lock_timeout_s=lock_timeout_s)
    return _look_after(call, database, address, plan, before)


def _look_after(call: Call, database: Database, address: DatabaseAddress, plan: Plan, before: Rows) -> Code:
    from pytest_devenv.cli.db.verify import verify

    found = verify(call.environment, database, before, {step.migration.version for step in plan.steps})
    for line in found.lines:
        call.report.say(f"  {line}")
    call.report.warn(found.lost)
    call.report.put(database.name, verified=found.whole, rows=found.rows, faults=list(found.faults))
    if found.whole:
        return Code.DONE
    call.report.tell(f"{address} is not as it should be: {'; '.join(found.faults)}")
    return Code.FAILED


def _consent(name: str | None) -> Consent | None:
    return None if name is None else Consent(name)
