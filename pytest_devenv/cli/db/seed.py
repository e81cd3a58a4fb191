"""`pytest-devenv db seed`: apply the seeds of the environment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv import seed as seeds
from pytest_devenv.cli.db.asking import typed_name
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, confirm_option, database_command, lock_option
from pytest_devenv.guard import Consent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Database

MOST_JOBS = 16
_PENDING = seeds.Selection()


@database_command
@click.option("--force", is_flag=True, help="Apply again what is applied. The guard still judges.")
@click.option("--changed", is_flag=True, help="Apply again what has changed since it was applied.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and change nothing.")
@click.option("--verbose", is_flag=True, help="Say what is left out and why, and which rows were written.")
@click.option("--only", multiple=True, metavar="NAME", help="This seed and what it depends on; may be repeated.")
@click.option("--jobs", type=click.IntRange(1, MOST_JOBS), default=1, metavar="N", help="How many run at once.")
@confirm_option
@lock_option
def seed(  # noqa: PLR0913  # one parameter for each option
    call: Call,
    *,
    force: bool,
    changed: bool,
    dry_run: bool,
    verbose: bool,
    only: tuple[str, ...],
    jobs: int,
    confirm: str | None,
    lock_timeout_s: float,
) -> None:
    """Apply the seeds that this environment gets and that are not applied yet, or that have a newer version.

    Production and staging get the base layer alone, after the database's name was typed or given with --confirm.
    """
    if call.database is None and confirm is not None and not call.tier.changeable:
        call.database = confirm
    selection = seeds.Selection(only=only, changed=changed, force=force, jobs=jobs)
    for database in call.seeded():
        if dry_run:
            _show(call, call.address(database), _plan(call, database, selection), verbose=True)
        else:
            sow(call, database, selection, confirm=confirm, verbose=verbose, lock_timeout_s=lock_timeout_s)


def load(call: Call, database: Database) -> seeds.Seeds:
    """Read the seeds of a database that has some. Raises SeedError."""
    return seeds.load(call.settings.root / str(database.seeds))


def sow(
    call: Call,
    database: Database,
    selection: seeds.Selection = _PENDING,
    *,
    confirm: str | None = None,
    verbose: bool = False,
    lock_timeout_s: float,
) -> None:
    """Apply seeds to one database, note it in the audit, and say what was done."""
    address = call.address(database)
    if not call.tier.changeable and confirm is None and call.interactive:
        _show(call, address, _plan(call, database, selection), verbose=verbose)
        confirm = typed_name(call, f"{call.tier}: type the name of the database to seed {address}")
    consent = None if confirm is None else Consent(confirm)
    done: list[seeds.Done] = []
    began = time.monotonic()
    with audited(call, address, consented=consent is not None and consent.database == database.name):
        try:
            with call.report.progress(f"seeding {database.name}") as move:

                def step(progress: seeds.Progress) -> None:
                    done.append(progress.done)
                    move(progress.index, progress.total, str(progress.done.seed))

                result = seeds.apply(
                    load(call, database),
                    address,
                    tier=call.tier,
                    selection=selection,
                    consent=consent,
                    limits=seeds.Limits(lock_timeout_s=lock_timeout_s),
                    on_progress=step,
                )
        finally:
            _tell(call, address, done, verbose=verbose)
            call.report.put(
                database.name, seeded=[_facts(one) for one in done], seeding_took_s=round(time.monotonic() - began, 6)
            )
    call.report.warn(result.warnings)
    if not done:
        call.report.say(f"{address}: no seed to apply")
    if verbose:
        _say_skipped(call, result.skipped)
    call.report.put(database.name, skipped=[_left(one) for one in result.skipped], seed_warnings=list(result.warnings))


def rows_told(rows: Mapping[str, seeds.Rows]) -> str:
    """Return how many rows of which table, in one line."""
    parts = []
    for table, count in rows.items():
        kinds = (("inserted", count.inserted), ("updated", count.updated), ("deleted", count.deleted))
        parts.append(f"{table}: {', '.join(f'{number} {kind}' for kind, number in kinds if number)}")
    return "; ".join(parts) or "no row"


def rows_facts(rows: Mapping[str, seeds.Rows]) -> dict[str, dict[str, int]]:
    """Return the same as plain values."""
    return {
        table: {"inserted": count.inserted, "updated": count.updated, "deleted": count.deleted}
        for table, count in rows.items()
    }


def _plan(call: Call, database: Database, selection: seeds.Selection) -> seeds.Plan:
    return seeds.plan(load(call, database), call.address(database), tier=call.tier, selection=selection)


def _show(call: Call, address: DatabaseAddress, plan: seeds.Plan, *, verbose: bool) -> None:
    call.report.warn(plan.warnings)
    call.report.say(f"{address}: {len(plan.steps)} to apply")
    for step in plan.steps:
        call.report.say(f"  {step.action} {step.seed}, version {step.seed.version}: {step.seed.description}")
    if verbose:
        _say_skipped(call, plan.skipped)
    call.report.put(
        address.database,
        steps=[
            {
                "name": step.seed.name,
                "layer": step.seed.layer,
                "version": step.seed.version,
                "action": step.action.value,
            }
            for step in plan.steps
        ],
        skipped=[_left(one) for one in plan.skipped],
        warnings=list(plan.warnings),
    )


def _tell(call: Call, address: DatabaseAddress, done: list[seeds.Done], *, verbose: bool) -> None:
    words = {seeds.Action.APPLY: "applied", seeds.Action.UPGRADE: "upgraded", seeds.Action.REAPPLY: "applied again"}
    for one in done:
        call.report.say(f"{address.database}: {words[one.action]} {one.seed} in {one.took_s * 1000:.0f} ms")
        if verbose:
            call.report.say(f"  {rows_told(one.rows)}")


def _say_skipped(call: Call, skipped: tuple[seeds.Skipped, ...]) -> None:
    for one in skipped:
        call.report.say(f"  left {one.seed}: {one.reason}")


def _facts(done: seeds.Done) -> dict[str, Any]:
    return {
        "name": done.seed.name,
        "layer": done.seed.layer,
        "version": done.seed.version,
        "action": done.action.value,
        "took_s": round(done.took_s, 6),
        "rows": rows_facts(done.rows),
    }


def _left(skipped: seeds.Skipped) -> dict[str, str]:
    return {"name": skipped.seed.name, "state": skipped.state.value, "reason": skipped.reason}
