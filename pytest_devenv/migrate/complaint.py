"""What is said when the server refuses a migration: the statement, its place in the file, the reason and the remedy."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NoReturn

from pytest_devenv.errors import MigrationError, explain
from pytest_devenv.migrate.failure import REMEDIES, LostRaceError, MissingExtensionError, RunError
from pytest_devenv.migrate.model import Direction
from pytest_devenv.migrate.statements import Place, extension_wanted, shown, statement_at

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.migrate.dialect import Chunk
    from pytest_devenv.migrate.model import Migration
    from pytest_devenv.migrate.wire import ServerError
    from pytest_devenv.migrate.work import Work

_LOST_RACES = ("23505", "42P06", "42P07", "42701", "42710", "42723", "XX000")
_MISSING_EXTENSION = ("0A000", "58P01")


class Left(enum.Enum):
    """What a failed migration leaves: nothing, a part with a dirty row, or a part that it has committed by itself."""

    NOTHING = enum.auto()
    DIRTY = enum.auto()
    COMMITTED = enum.auto()


def complain(work: Work, piece: Chunk, error: ServerError, *, head: str, left: Left) -> NoReturn:
    """Raise the error for what the server said of `piece`, ahead of which `head` was sent."""
    if work.direction is Direction.UP and left is not Left.DIRTY:
        _raise_lost_race(work, error)
    index = None if error.position is None else error.position - 1 - len(head)
    if index is not None and index > len(piece.text):
        index = None
    statement, at = statement_at(piece.text, index=index, number=error.completed - (1 if head else 0))
    if at is not None:
        at = Place(piece.line(at.line), at.column)
    migration, file = work.migration, work.source.file
    details = [f"{error.primary} ({error.sqlstate})"]
    details += [f"  {' '.join(more.split())}" for more in (error.detail, error.hint, error.context) if more is not None]
    details += [] if statement is None else [f"statement: {statement}"]
    if left is Left.DIRTY:
        details.append("it is marked dirty: a part of it may be there, such as an index that is not valid")
    verb = "could not be applied" if work.direction is Direction.UP else "could not be taken back"
    message = explain(
        f"migration {migration} {verb}: {error.primary}",
        expected="every statement of the file to succeed",
        found="\n  ".join(details),
        where=f"{file if at is None else f'{file}, line {at.line}, column {at.column}'}; {work.bench.where}",
    )
    line, column = (None, None) if at is None else (at.line, at.column)
    extension = _extension_of(error.primary, statement) if error.sqlstate in _MISSING_EXTENSION else None
    if extension is not None:
        raise MissingExtensionError(
            message,
            extension=extension,
            failed=migration,
            done=work.done,
            sqlstate=error.sqlstate,
            line=line,
            column=column,
            remedy=_extension_remedy(extension),
        )
    raise RunError(
        message,
        failed=migration,
        done=work.done,
        sqlstate=error.sqlstate,
        line=line,
        column=column,
        remedy=_remedy(error, migration, left),
    )


def complain_of_connection(work: Work, reason: str, *, kept: bool) -> NoReturn:
    """Raise the error for a connection that was lost while the migration ran."""
    message = explain(
        f"the connection was lost while migration {work.migration} ran",
        expected="a connection that lasts",
        found=reason,
        where=f"{work.source.file}; {work.bench.where}",
    )
    left = "a part of it may be there" if kept else "it is there whole or not at all"
    remedy = f"{left}: pytest-devenv db status says which; then run it again"
    raise RunError(message, failed=work.migration, done=work.done, remedy=remedy)


def complain_of_revision(
    migration: Migration | None,
    direction: Direction,
    error: BaseException | None,
    statement: str | None,
    *,
    where: str,
    folder: Path,
) -> NoReturn:
    """Raise the error for what the server said of an Alembic revision, or of what came before the first."""
    import psycopg

    diagnosis = error.diag if isinstance(error, psycopg.Error) else None
    reason = (None if diagnosis is None else diagnosis.message_primary) or " ".join(str(error).split())
    sqlstate = None if diagnosis is None else diagnosis.sqlstate
    found = reason if sqlstate is None else f"{reason} ({sqlstate})"
    if statement is not None:
        found += f"\n  statement: {shown(statement)}"
    remedy = REMEDIES.get(sqlstate or "", "mend the revision, then run it again")
    if migration is None:
        message = explain(
            "Alembic could not run", expected="its version table to be read and written", found=found, where=where
        )
        raise MigrationError(message, remedy=REMEDIES.get(sqlstate or "", f"look at {folder / 'env.py'}")) from error
    verb = "could not be applied" if direction is Direction.UP else "could not be taken back"
    message = explain(
        f"migration {migration} {verb}: {reason}",
        expected="every statement of the revision to succeed",
        found=found,
        where=f"{migration.path}; {where}",
    )
    extension = None
    if sqlstate in _MISSING_EXTENSION:
        extension = _extension_of(reason, statement)
    if extension is not None:
        raise MissingExtensionError(
            message, extension=extension, failed=migration, sqlstate=sqlstate, remedy=_extension_remedy(extension)
        ) from error
    raise RunError(message, failed=migration, sqlstate=sqlstate, remedy=remedy) from error


def _remedy(error: ServerError, migration: Migration, left: Left) -> str:
    if left is Left.DIRTY:
        return f"pytest-devenv db repair {migration.version}"
    if left is Left.COMMITTED:
        return "the file has ended its own transaction: undo what is there of it, remove its COMMIT, then run it again"
    return REMEDIES.get(error.sqlstate, "mend the file, then run it again: nothing of it was kept")


def _raise_lost_race(work: Work, error: ServerError) -> None:
    """Raise LostRaceError where the migration failed because another migrator has applied it meanwhile."""
    import psycopg

    bench, version = work.bench, work.migration.version
    if bench.connection.closed or error.sqlstate not in _LOST_RACES:
        return
    try:
        rows = bench.dialect.history.read(bench.connection, bench.table)
    except psycopg.Error:
        return
    row = next((row for row in rows if row.version == version), None)
    if row is None:
        return
    message = explain(
        f"another migrator applied migration {work.migration} at the same time",
        expected="one migrator at a time",
        found=f"it was noted as applied at {row.applied_at} by one that takes no lock, such as sqlx-cli",
        where=bench.where,
    )
    raise LostRaceError(message, remedy="let the other end, then run it again")


def _extension_remedy(extension: str) -> str:
    return f"use a server that has the extension {extension}, or install its package there"


def _extension_of(reason: str, statement: str | None) -> str | None:
    """Return the extension that the server lacks: PostgreSQL 13 and later say 0A000, older ones 58P01."""
    wanted = None if statement is None else extension_wanted(statement)
    if wanted is not None:
        return wanted
    _, quote, rest = reason.partition('"')
    if not quote or "extension" not in reason:
        return None
    return rest.partition('"')[0].rpartition("/")[2].removesuffix(".control")
