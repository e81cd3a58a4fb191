"""The audit: who ran what on a database, when, with which result, kept in the database itself.

Only a database that carries its marker is written to, or one whose name a person has given.
"""

from __future__ import annotations

import getpass
import socket
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.cli.db.codes import Code, code_of
from pytest_devenv.clients.marker import read_own_marker
from pytest_devenv.clients.postgres import connect
from pytest_devenv.errors import DevenvError, GuardError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pytest_devenv.cli.db.call import Call
    from pytest_devenv.clients.postgres import DatabaseAddress

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_TABLE = """
    CREATE SCHEMA IF NOT EXISTS pytest_devenv;
    CREATE TABLE IF NOT EXISTS pytest_devenv.audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        began_at timestamptz NOT NULL,
        who text NOT NULL,
        role text NOT NULL DEFAULT session_user,
        command text NOT NULL,
        environment text NOT NULL,
        result text NOT NULL,
        said text,
        took_ms double precision NOT NULL);
    COMMENT ON TABLE pytest_devenv.audit IS 'pytest-devenv: every command that was run to change this database'
"""
_COLUMNS = "began_at, who, role, command, environment, result, said, took_ms"


@contextmanager
def audited(call: Call, address: DatabaseAddress, *, consented: bool = False) -> Iterator[None]:
    """Note what is run meanwhile, and how it ended, be it by an error.

    What the guard refuses is not noted: it may have refused to connect at all.
    """
    began_at, began = datetime.now(tz=UTC), time.monotonic()
    result, said = "interrupted", None
    refused = False
    try:
        yield
        result = Code.DONE.word
    except GuardError:
        refused = True
        raise
    except DevenvError as error:
        result, said = code_of(error).word, call.report.clean(error.message.splitlines()[0])
        raise
    finally:
        if not refused:
            took_ms = round((time.monotonic() - began) * 1000, 3)
            values = [began_at, _who(), call.report.clean(call.line), call.tier.value, result, said, took_ms]
            _note(call, address, values, consented=consented)


def keep(connection: Connection) -> list[tuple[Any, ...]]:
    """Return every entry, for a database that is about to be destroyed."""
    row = connection.execute("SELECT pg_catalog.to_regclass('pytest_devenv.audit') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return []
    return connection.execute(f"SELECT {_COLUMNS} FROM pytest_devenv.audit ORDER BY id".encode()).fetchall()  # noqa: S608


def restore(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write the entries that were kept into the database that took the other's place."""
    if not rows:
        return
    connection.execute(_TABLE)
    statement = f"INSERT INTO pytest_devenv.audit ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement.encode(), rows)


def _note(call: Call, address: DatabaseAddress, values: list[object], *, consented: bool) -> None:
    import psycopg

    try:
        with connect(address, deadline_s=call.settings.deadline_s) as connection:
            if not (consented or read_own_marker(connection) is not None):
                return
            there = connection.execute("SELECT pg_catalog.to_regclass('pytest_devenv.audit')").fetchone()
            if there is None or there[0] is None:
                connection.execute(_TABLE)
            connection.execute(
                "INSERT INTO pytest_devenv.audit (began_at, who, command, environment, result, said, took_ms)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                values,
            )
    except (psycopg.Error, DevenvError) as error:
        if isinstance(error, psycopg.OperationalError) and values[4] != Code.DONE.word:
            return  # the server is gone, which is what has been told
        call.report.warn([f"this run is not in the audit of {address.database}: {' '.join(str(error).split())}"])


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "?"
    return f"{user}@{socket.gethostname()}"
