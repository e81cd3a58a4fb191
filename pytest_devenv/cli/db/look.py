"""`pytest-devenv db status`, `current` and `history`: what is there, changing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli.db.call import Call, database_command
from pytest_devenv.cli.db.codes import Code
from pytest_devenv.cli.db.standing import print_standing, standing_of
from pytest_devenv.migrate import AlembicEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.migrate import Applied, Edited, Engine, Migration, Status


@database_command
@click.option("--exit-code", is_flag=True, help="Exit with 3 when something is pending or out of date.")
def status(call: Call, *, exit_code: bool) -> Code:
    """Compare each database with its folders of migrations and seeds."""
    clean = True
    for database in call.chosen():
        found = standing_of(call, database)
        print_standing(call, found)
        call.report.put(database.name, **found.to_json())
        clean = clean and found.clean
    return Code.DONE if clean or not exit_code else Code.PENDING


@database_command
def current(call: Call) -> None:
    """Say which migration comes last among those that are applied; with Alembic, one for each branch."""
    for database in call.migrated():
        engine, address = call.engine(database), call.address(database)
        seen = engine.status(address, deadline_s=call.settings.deadline_s)
        versions = _current(engine, seen, call, database.name)
        heads = [version for version in versions if version in seen.heads]
        shown = ", ".join(f"{version} (head)" if version in heads else version for version in versions)
        call.report.say(f"{database.name}: {shown or 'nothing is applied'}")
        call.report.put(database.name, current=list(versions), heads=list(seen.heads))


@database_command
@click.option("--verbose", is_flag=True, help="Show file, checksum and duration too; with Alembic, what it prints.")
def history(call: Call, *, verbose: bool) -> None:
    """List every migration of the folder and of the database, with what became of it."""
    for database in call.migrated():
        engine, address = call.engine(database), call.address(database)
        seen = engine.status(address, deadline_s=call.settings.deadline_s)
        files = {each.version: each for each in engine.discover()}
        rows = [_row(seen, files.get(each.version), each) for each in seen.applied]
        rows += [_row(seen, files.get(each.version), each) for each in seen.missing if each not in seen.applied]
        rows += [_row(seen, each, None) for each in seen.pending]
        call.report.say(f"{address}: {len(seen.applied)} applied, {len(seen.pending)} pending")
        width = max((len(row["version"]) for row in rows), default=0)
        for row in rows:
            when = "" if row["applied_at"] is None else f" at {row['applied_at']:%Y-%m-%d %H:%M:%S}"
            call.report.say(f"  {row['version']:<{width}}  {row['state']}{when}  {row['description']}")
            if verbose:
                for key in ("file", "way_back", "checksum", "took_ms"):
                    if row[key] is not None:
                        call.report.say(f"  {'':<{width}}    {key.replace('_', ' ')}: {row[key]}")
        facts: dict[str, Any] = {"migrations": rows}
        if verbose and isinstance(engine, AlembicEngine):
            printed = engine.history(verbose=True)
            call.report.say("\n".join(printed))
            facts["alembic"] = list(printed)
        call.report.put(database.name, **facts)


def _current(engine: Engine, seen: Status, call: Call, name: str) -> tuple[str, ...]:
    if isinstance(engine, AlembicEngine):
        return engine.current(call.address(call.settings.databases[name]))
    return () if seen.current is None else (seen.current,)


def _row(seen: Status, file: Migration | None, applied: Applied | None) -> dict[str, Any]:
    version = applied.version if applied is not None else "" if file is None else file.version
    states: dict[str, Sequence[Applied | Edited | Migration]] = {
        "dirty": seen.dirty,
        "edited": seen.edited,
        "missing": seen.missing,
        "pending": seen.pending,
    }
    state = next((word for word, those in states.items() if any(one.version == version for one in those)), "applied")
    described = applied if applied is not None else file
    return {
        "version": version,
        "description": "" if described is None else described.description,
        "state": state,
        "applied_at": None if applied is None else applied.applied_at,
        "checksum": None if applied is None else applied.checksum,
        "took_ms": None if applied is None or applied.took_ns is None else round(applied.took_ns / 1e6, 3),
        "file": None if file is None else str(file.path),
        "way_back": None if file is None or file.down is None else str(file.down),
    }
