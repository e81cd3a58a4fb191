"""The rules by which a folder and a history are compared, and what is refused; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import MigrationError, explain
from pytest_devenv.migrate.failure import StateError
from pytest_devenv.migrate.model import BASE, Applied, Edited, Migration, Renamed, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def compare(
    engine: str,
    files: Sequence[Migration],
    applied: Sequence[Applied],
    checksums: Mapping[str, str],
    order: Callable[[str], Any],
    notes: tuple[str, ...] = (),
) -> Status:
    """Compare the folder with the history; `checksums` are those of the applied versions' files."""
    by_version = {migration.version: migration for migration in files}
    known = {row.version for row in applied}
    rows = sorted((_described(row, by_version) for row in applied), key=lambda row: order(row.version))
    pending = tuple(migration for migration in files if migration.version not in known)
    last = order(rows[-1].version) if rows else None
    edited, renamed = [], []
    for row in rows:
        migration = by_version.get(row.version)
        if migration is None:
            continue
        found = checksums.get(row.version)
        if row.checksum is not None and found is not None and found != row.checksum:
            edited.append(
                Edited(
                    version=row.version,
                    description=migration.description,
                    path=migration.path,
                    applied_checksum=row.checksum,
                    found_checksum=found,
                )
            )
        if row.description != migration.description:
            renamed.append(
                Renamed(
                    version=row.version,
                    applied_description=row.description,
                    found_description=migration.description,
                    path=migration.path,
                )
            )
    return Status(
        engine=engine,
        applied=tuple(rows),
        pending=pending,
        dirty=tuple(row for row in rows if row.dirty),
        edited=tuple(edited),
        missing=tuple(row for row in rows if row.version not in by_version),
        late=() if last is None else tuple(one for one in pending if order(one.version) < last),
        renamed=tuple(renamed),
        heads=(files[-1].version,) if files else (),
        notes=notes,
    )


def refuse(status: Status, *, where: str, strict: bool) -> tuple[str, ...]:
    """Raise StateError where folder and database contradict each other; return what is only warned of."""
    for row in status.dirty:
        message = explain(
            f"migration {row} is dirty: it began outside a transaction and did not end",
            expected="every migration either applied or absent",
            found="a part of it may be there, such as an index that is not valid",
            where=where,
        )
        raise StateError(message, status=status, remedy=f"pytest-devenv db repair {row.version}")
    for change in status.edited:
        message = explain(
            f"migration {change.version} ({change.description}) was edited after it was applied",
            expected=f"checksum {change.applied_checksum}",
            found=f"checksum {change.found_checksum}",
            where=f"{change.path}, and {where}",
        )
        remedy = (
            f"restore the file (git log -- {change.path.name}) and put the change into a new migration;"
            f" if the edit changes nothing in the database: pytest-devenv db repair {change.version} --edited"
        )
        raise StateError(message, status=status, remedy=remedy)
    if status.missing:
        names = ", ".join(str(row) for row in status.missing)
        message = explain(
            f"{len(status.missing)} applied migration(s) have no file here",
            expected="a file for every applied migration",
            found=f"no file for {names}",
            where=where,
        )
        remedy = (
            "take the branch that holds them, or roll them back there;"
            f" to forget one: pytest-devenv db repair {status.missing[0].version} --forget"
        )
        raise StateError(message, status=status, remedy=remedy)
    warnings = [
        f"migration {change.version} was applied as {change.applied_description!r}"
        f" and is now called {change.found_description!r} ({change.path.name})"
        for change in status.renamed
    ]
    warnings += [f"migration {late} comes before {status.current}, which is applied already" for late in status.late]
    if strict and warnings:
        message = explain(
            "the folder's order is not the one that was applied",
            expected="names and order as they were applied (migrations.strict = true)",
            found="; ".join(warnings),
            where=where,
        )
        remedy = "give a late migration a version above all others, and a renamed one its old name"
        raise StateError(message, status=status, remedy=remedy)
    return (*status.notes, *warnings)


def upto(pending: Sequence[Migration], files: Sequence[Migration], to: str | None) -> tuple[Migration, ...]:
    """Return those of `pending` that come no later than version `to`."""
    if to is None:
        return tuple(pending)
    place = _place(files, to)
    wanted = {migration.version for migration in files[: place + 1]}
    return tuple(migration for migration in pending if migration.version in wanted)


def after(status: Status, files: Sequence[Migration], *, count: int, to: str | None) -> tuple[Migration, ...]:
    """Return the applied migrations that are to be taken back, newest first."""
    by_version = {migration.version: migration for migration in files}
    if to is None:
        rows = status.applied[max(0, len(status.applied) - count) :]
    elif to == BASE:
        rows = status.applied
    else:
        later = {migration.version for migration in files[_place(files, to) + 1 :]}
        rows = tuple(row for row in status.applied if row.version in later)
    return tuple(by_version[row.version] for row in reversed(rows))


def _described(row: Applied, by_version: Mapping[str, Migration]) -> Applied:
    if row.description or row.version not in by_version:
        return row
    return replace(row, description=by_version[row.version].description)


def _place(files: Sequence[Migration], version: str) -> int:
    for place, migration in enumerate(files):
        if migration.version == version:
            return place
    import difflib

    versions = [migration.version for migration in files]
    near = difflib.get_close_matches(version, versions, n=1, cutoff=0.5)
    message = explain(
        f"there is no migration {version}",
        expected=f"one of {len(versions)} versions" + (f", such as {near[0]}" if near else ""),
        found=f"version {version}",
        where=str(files[0].path.parent) if files else "an empty folder",
    )
    raise MigrationError(message, remedy="pytest-devenv db history lists them")
