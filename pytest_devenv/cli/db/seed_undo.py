"""`pytest-devenv db seed-rollback` and `seed-clean`: seeds taken back, and seeds whose file is gone."""

from __future__ import annotations

import click

from pytest_devenv import seed as seeds
from pytest_devenv.cli.db.asking import agree
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, confirm_option, database_command, force_option, lock_option
from pytest_devenv.cli.db.guarding import require
from pytest_devenv.cli.db.seed import load, rows_facts, rows_told
from pytest_devenv.guard import Consent


@database_command
@click.argument("name")
@force_option
@lock_option
def seed_rollback(call: Call, *, name: str, force: bool, lock_timeout_s: float) -> None:
    """Take back exactly what the seed NAME wrote, unless later data builds on it. Asks before it does.

    Never in production or staging.
    """
    databases = call.seeded()
    if len(databases) > 1:
        having = [one for one in databases if any(seed.name == name for seed in load(call, one).seeds)]
        databases = tuple(having) or databases
    database = call.only(databases)
    address = call.address(database)
    require(call, address)
    agree(call, f"take back what the seed {name} wrote to {address}?", force=force)
    with audited(call, address):
        done = seeds.roll_back(
            load(call, database),
            address,
            name,
            tier=call.tier,
            limits=seeds.Limits(lock_timeout_s=lock_timeout_s),
        )
    call.report.warn(done.notes)
    call.report.say(f"{database.name}: took back {name} in {done.took_s * 1000:.0f} ms: {rows_told(done.rows)}")
    call.report.put(database.name, name=name, rows=rows_facts(done.rows), notes=list(done.notes))


@database_command
@confirm_option
@force_option
@lock_option
def seed_clean(call: Call, *, confirm: str | None, force: bool, lock_timeout_s: float) -> None:
    """Mark as Orphaned what is applied and has lost its file, and as Active what has it again.

    No row that a seed wrote is touched: seed-rollback takes those back.
    """
    consent = None if confirm is None else Consent(confirm)
    for database in call.seeded():
        address, folder = call.address(database), load(call, database)
        if call.tier.changeable:
            require(call, address)
        found = (
            seeds.find_orphans(folder, address, deadline_s=call.settings.deadline_s) if call.tier.changeable else None
        )
        if found == seeds.Cleaned():
            call.report.say(f"{address}: nothing to mark")
        elif found is not None:
            names = ", ".join(row.name for row in (*found.orphaned, *found.returned))
            agree(call, f"mark {names} in the history of {address}?", force=force)
        with audited(call, address, consented=consent is not None and consent.database == database.name):
            cleaned = seeds.clean(
                folder,
                address,
                tier=call.tier,
                consent=consent,
                limits=seeds.Limits(lock_timeout_s=lock_timeout_s),
            )
        for row in cleaned.orphaned:
            call.report.say(f"{database.name}: {row.name} is orphaned: pytest-devenv db seed-rollback {row.name}")
        for row in cleaned.returned:
            call.report.say(f"{database.name}: {row.name} has its file again")
        call.report.put(
            database.name,
            orphaned=[row.name for row in cleaned.orphaned],
            returned=[row.name for row in cleaned.returned],
        )
