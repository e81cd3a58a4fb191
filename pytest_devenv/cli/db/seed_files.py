"""`pytest-devenv db create-seed`, `seed-sync`, `seed-check` and `seed-watch`: the files of seeds and their registry."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv import seed as seeds
from pytest_devenv.cli.db.call import Call, database_command
from pytest_devenv.cli.db.codes import Code
from pytest_devenv.errors import SeedError, TargetError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.settings import Database


@database_command
@click.argument("name")
@click.option(
    "--dev", "layer", flag_value="development", help="For development and test, instead of every environment."
)
@click.option("--test", "layer", flag_value="test", help="For test alone.")
@click.option("--sql", is_flag=True, help="Write SQL instead of Python.")
def create_seed(call: Call, *, name: str, layer: str | None, sql: bool) -> None:
    """Write the seed NAME, which comes after all others of its layer, and register it. Needs no server."""
    database = call.only(call.seeded())
    created = seeds.create_seed(_folder(call, database), name, layer=layer or "base", sql=sql)
    call.report.say(str(created.path))
    call.report.put(database.name, files=[str(created.path)], registry=_synced(created.registry))


@database_command
def seed_sync(call: Call) -> None:
    """Write the registry of each folder of seeds. Needs no server."""
    for database in call.seeded():
        synced = seeds.sync_registry(seeds.load(_folder(call, database)))
        call.report.say(_told(synced))
        call.report.put(database.name, registry=_synced(synced))


@database_command
@click.option("--no-database", is_flag=True, help="Look at the files and the registry alone.")
def seed_check(call: Call, *, no_database: bool) -> Code:
    """Look for broken seeds (exit code 1), and for changed, orphaned and unregistered ones (exit code 3).

    Compares with the database where the environment is up.
    """
    code = Code.DONE
    for database in call.seeded():
        address, notes = None, []
        if not no_database:
            try:
                address = call.address(database)
            except TargetError as error:
                notes.append(f"the database was not looked at: {error.message.splitlines()[0]}")
        deadline_s = call.settings.deadline_s
        findings = seeds.check(_folder(call, database), address, tier=call.tier, deadline_s=deadline_s)
        call.report.warn(notes)
        for one in findings:
            call.report.say(f"{one.seed} is {one.fault}: {one.found}\n  where: {one.where}\n  remedy: {one.remedy}")
        if not findings:
            call.report.say(f"{database.name}: every seed is whole, registered and as it was applied")
        call.report.put(
            database.name, findings=[{**asdict(one), "fault": one.fault.value} for one in findings], notes=notes
        )
        broken = any(one.fault is seeds.Fault.BROKEN for one in findings)
        code = Code.FAILED if broken else code if code is Code.FAILED or not findings else Code.PENDING
    return code


@database_command
def seed_watch(call: Call) -> None:
    """Keep the registry current while you edit seeds, until Ctrl-C; with --json, an object for each time."""
    database = call.only(call.seeded())
    try:
        for synced in seeds.watch(_folder(call, database)):
            if isinstance(synced, SeedError):
                call.report.tell(str(synced))
                line = {"error": synced.message}
            else:
                call.report.say(_told(synced))
                line = _synced(synced)
            if call.report.as_json:
                click.echo(json.dumps(line))
    except KeyboardInterrupt:
        call.report.say("no longer watching")


def _folder(call: Call, database: Database) -> Path:
    return call.settings.root / str(database.seeds)


def _synced(synced: seeds.Synced) -> dict[str, Any]:
    return {
        "file": str(synced.path),
        "added": list(synced.added),
        "changed": list(synced.changed),
        "removed": list(synced.removed),
    }


def _told(synced: seeds.Synced) -> str:
    kinds = (("added", synced.added), ("changed", synced.changed), ("removed", synced.removed))
    parts = [f"{kind} {', '.join(names)}" for kind, names in kinds if names]
    return f"{synced.path}: {'; '.join(parts) or 'current'}"
