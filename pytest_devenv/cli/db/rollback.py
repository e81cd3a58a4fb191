"""`pytest-devenv db rollback`: take migrations back."""

from __future__ import annotations

import click

from pytest_devenv.cli.db.asking import agree
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, database_command, force_option, lock_option
from pytest_devenv.cli.db.codes import UsageError
from pytest_devenv.cli.db.guarding import judge, require
from pytest_devenv.cli.db.steps import Done, as_facts, print_plan

MOST = 10


@database_command
@click.option("--target", "count", type=click.IntRange(1, MOST), metavar="N", help=f"How many: 1 to {MOST}, else 1.")
@click.option("--to", metavar="VERSION", help="Take back all that come after this one; `base` takes back all.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and change nothing.")
@force_option
@lock_option
def rollback(
    call: Call, *, count: int | None, to: str | None, dry_run: bool, force: bool, lock_timeout_s: float
) -> None:
    """Take back the last migration, or several, newest first. Asks before it does.

    Never in production or staging.
    """
    if count is not None and to is not None:
        message = f"expected: --target or --to\n  found: both\n  where: {call.line}"
        raise UsageError(message, remedy="leave one of them out")
    database = call.only(call.migrated())
    engine, address = call.engine(database), call.address(database)
    if dry_run:
        plan = engine.plan_roll_back(address, count=count or 1, to=to)
        print_plan(call, address, plan)
        call.report.put(database.name, **as_facts(plan))
        return
    judge(call, address)
    plan = engine.plan_roll_back(address, count=count or 1, to=to)
    if plan.steps:
        require(call, address)
        listed = ", ".join(str(step.migration) for step in plan.steps)
        agree(call, f"take back {listed} in {address}, with the data that goes with it?", force=force)
    with (
        audited(call, address),
        Done(call, address, "taken back", f"rolling back {database.name}") as done,
    ):
        done.result = engine.roll_back(
            address,
            tier=call.tier,
            count=count or 1,
            to=to,
            lock_timeout_s=lock_timeout_s,
            on_progress=done.step,
        )
