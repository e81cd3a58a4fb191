"""One migration, run so that it and its history row are there together or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.migrate.complaint import Left, complain, complain_of_connection
from pytest_devenv.migrate.dialect import PREPARED, Chunk
from pytest_devenv.migrate.model import Direction
from pytest_devenv.migrate.wire import ServerError, send
from pytest_devenv.migrate.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg
    from psycopg import sql

    from pytest_devenv.migrate.folder import Source
    from pytest_devenv.migrate.model import Migration
    from pytest_devenv.migrate.work import Bench

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_BEGIN = "BEGIN;"
_SYNTAX = "42601"
_NO_TRANSACTION = "25P01"
_NOT_PREPARED = "26000"
_CONNECTION_ENDS = ("57P01", "57P02", "57P03", "57P05", "25P03", "08")
_NOTHING = Chunk("")


def prepare(
    bench: Bench,
    direction: Direction,
    run: tuple[Migration, ...],
    number: int,
    source: Source,
    meanwhile: Callable[[], bool] | None,
) -> Work:
    """Make of a file all that can be made before its turn comes."""
    transactional = bench.dialect.is_transactional(source.name, source.text)
    note = _note_of(bench, direction, run[number], source, transactional=transactional)
    pieces = bench.dialect.chunks(source.text)
    texts = [piece.text for piece in pieces]
    if transactional:
        pieces, texts = pieces or (_NOTHING,), texts or [""]
        texts[0] = _BEGIN + texts[0]
        texts[-1] += f"\n;{bench.fresh};{note};COMMIT"
    messages = tuple(text.encode() for text in texts)
    return Work(bench, direction, run, number, source, transactional, pieces, messages, note, meanwhile)


def run(work: Work) -> str | None:
    """Apply one migration or take it back, and note it; return what there is to warn of.

    Raises RunError or LostRaceError.
    """
    if work.transactional:
        return _run_whole(work)
    bench, version = work.bench, work.migration.version
    history, table = bench.dialect.history, bench.table
    there, gone = history.finish(table, version), history.delete(table, version)
    _note(work, work.note.encode())
    up = work.direction is Direction.UP
    return _run_piecemeal(work, after=there if up else gone, untouched=gone if up else there)


def _note_of(bench: Bench, direction: Direction, migration: Migration, source: Source, *, transactional: bool) -> str:
    """Return the statement that notes a migration: as applied or gone, or as half way where it needs to be alone."""
    history, table = bench.dialect.history, bench.table
    if bench.prepared is not None and transactional and direction is Direction.UP:
        return history.again(migration, checksum=source.checksum)
    statement: sql.Composable
    if direction is Direction.UP:
        statement = history.insert(
            table, migration, checksum=source.checksum, group=bench.group, dirty=not transactional
        )
    elif transactional:
        statement = history.delete(table, migration.version)
    else:
        statement = history.soil(table, migration.version)
    return statement.as_string(bench.connection)


def _run_whole(work: Work) -> str | None:
    """Send the file, its history row and the COMMIT; for a file of one piece, in one message.

    The server warns of a COMMIT without a transaction: then the file has ended it before, unseen where there is no
    parser to look for that.
    """
    bench = work.bench
    bench.warned.clear()
    for number, message in enumerate(work.messages):
        error = _try(work, message)
        if error is not None and error.sqlstate == _NOT_PREPARED and _unprepared(bench):
            error = _try_without(work)
        if error is not None:
            piece, head = work.pieces[number], _BEGIN if number == 0 else ""
            ended = error.completed > 0 and _NO_TRANSACTION in bench.warned
            complain(work, piece, error, head=head, left=Left.COMMITTED if ended else Left.NOTHING)
    if _NO_TRANSACTION not in bench.warned:
        return None
    return f"{work.source.name} has ended its own transaction: it is applied, but was not safe"


def _try(work: Work, message: bytes) -> ServerError | None:
    """Send a message; where the server refuses it, nothing of it is left, unless the file has committed by itself."""
    error = _send(work, message, kept=False)
    if error is not None and not work.bench.connection.closed:
        work.bench.connection.execute("ROLLBACK")
    return error


def _unprepared(bench: Bench) -> bool:
    """Whether a DISCARD or a DEALLOCATE, and not the file itself, is why a statement was not prepared."""
    if bench.prepared is None or _NO_TRANSACTION in bench.warned:
        return False
    query = "SELECT FROM pg_catalog.pg_prepared_statements WHERE name = %s"
    return bench.connection.execute(query, [PREPARED]).fetchone() is None


def _try_without(work: Work) -> ServerError | None:
    """Send the file with a statement of its own that notes it, and prepare again the one that the others need."""
    bench = work.bench
    alone = prepare(bench._replace(prepared=None), work.direction, work.run, work.number, work.source, work.meanwhile)
    error = _try(alone, alone.messages[0])
    if error is None and bench.prepared is not None and _unprepared(bench):
        bench.connection.execute(bench.prepared.encode())
    return error


@contextmanager
def listening(bench: Bench) -> Iterator[None]:
    """Note what the server warns of, while the migrations of a run are sent."""

    def listener(diagnosis: psycopg.errors.Diagnostic) -> None:
        bench.warned.append(diagnosis.sqlstate)

    bench.connection.add_notice_handler(listener)
    try:
        yield
    finally:
        bench.connection.remove_notice_handler(listener)


def _run_piecemeal(work: Work, *, after: sql.Composed, untouched: sql.Composed) -> str | None:
    """Send a file that cannot run in a transaction; its history row is dirty until the end, and stays so if it fails.

    `untouched` takes the dirty row back where the server refused the file before it ran any of it.
    """
    connection = work.bench.connection
    for number, message in enumerate(work.messages):
        error = _send(work, message, kept=True)
        if error is not None:
            refused_whole = number == 0 and error.sqlstate == _SYNTAX and not connection.closed
            if refused_whole:
                connection.execute("ROLLBACK")
                connection.execute(untouched)
            left = Left.NOTHING if refused_whole else Left.DIRTY
            complain(work, work.pieces[number], error, head="", left=left)
    _send(work, f"ROLLBACK;{work.bench.fresh}".encode(), kept=True)
    _note(work, after.as_string(connection).encode())
    return None


def _note(work: Work, statement: bytes) -> None:
    error = _send(work, statement, kept=False)
    if error is not None:
        complain(work, _NOTHING, error, head="", left=Left.NOTHING)


def _send(work: Work, message: bytes, *, kept: bool) -> ServerError | None:
    import psycopg

    try:
        error = send(work.bench.connection, message, meanwhile=work.meanwhile)
    except psycopg.OperationalError as lost:
        complain_of_connection(work, " ".join(str(lost).split()), kept=kept)
    if error is not None and error.sqlstate.startswith(_CONNECTION_ENDS):
        complain_of_connection(work, f"{error.primary} ({error.sqlstate})", kept=kept)
    return error
