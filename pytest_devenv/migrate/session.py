"""The connection of a migrator: opened within a deadline, and to a server that it can trust with a session lock."""

from __future__ import annotations

import select
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.postgres import opened
from pytest_devenv.errors import MigrationError, explain
from pytest_devenv.migrate.failure import REMEDIES, PoolerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import psycopg
    from psycopg import sql

    from pytest_devenv.clients.postgres import DatabaseAddress

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_CHECKS_CLIENT = 140000
_TRIES = 8


def connected(address: DatabaseAddress, *, deadline_s: float) -> AbstractContextManager[Connection]:
    """Open a connection, and close it. Raises MigrationError where there is none to be had."""
    return opened(address, deadline_s=deadline_s, failure=MigrationError)


@contextmanager
def migrating(address: DatabaseAddress, *, deadline_s: float) -> Iterator[Connection]:
    """Open a connection on which migrations may run.

    Raises PoolerError, and MigrationError for a server that only reads and for all that it refuses meanwhile.
    """
    with connected(address, deadline_s=deadline_s) as connection, _refusals(address):
        row = connection.execute(
            "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),"
            " pg_catalog.current_setting('transaction_read_only')"
        ).fetchone()
        pid, in_recovery, read_only = row or (0, False, "off")
        if pid != connection.pgconn.backend_pid:
            _refuse_transaction_pooler(connection, address, pid, deadline_s=deadline_s)
        if in_recovery or read_only == "on":
            message = explain(
                f"{address.database} cannot be written",
                expected="a server that accepts writes",
                found="a standby server" if in_recovery else "default_transaction_read_only = on",
                where=str(address),
            )
            raise MigrationError(message, remedy="connect to the primary server, as a role that may write")
        connection.execute(fresh_settings(connection))
        yield connection


@contextmanager
def _refusals(address: DatabaseAddress) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        reason = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
        message = explain(
            f"{address.database} cannot be migrated",
            expected="a server that lets this role lock, read and write the history of migrations",
            found=reason if error.sqlstate is None else f"{reason} ({error.sqlstate})",
            where=str(address),
        )
        remedy = REMEDIES.get(error.sqlstate or "", "pytest-devenv db status says what is applied; then run it again")
        raise MigrationError(message, remedy=remedy) from error


def fresh_settings(connection: Connection) -> str:
    """Return the statements that give every migration the same session, whatever the one before has set.

    The server notices within half a second that a migrator was killed, and frees its lock, even in a long statement.
    """
    reset = "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL"
    if connection.info.server_version < _CHECKS_CLIENT:
        return reset
    return f"{reset};SET client_connection_check_interval = 500"


def locate(connection: Connection, table: str) -> tuple[sql.Composed, bool]:
    """Return the qualified name of the history table, and whether it is there.

    `table` is found as the migration tool itself finds it: through the search path, unless it names its schema.
    """
    from psycopg import sql

    schema, _, name = table.rpartition(".")
    row = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = %s"
        " AND CASE WHEN %s = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = %s END",
        [name, schema, schema],
    ).fetchone()
    if row is not None:
        return sql.Composed([sql.Identifier(*row)]), True
    if not schema:
        found = connection.execute("SELECT pg_catalog.current_schema()").fetchone()
        schema = "" if found is None or found[0] is None else found[0]
    return sql.Composed([sql.Identifier(schema, name) if schema else sql.Identifier(name)]), False


def _refuse_transaction_pooler(
    connection: Connection, address: DatabaseAddress, pid: int, *, deadline_s: float
) -> None:
    """Tell whether the pooler that stands between gives our server connection to others between transactions.

    A pooler hands out a process id of its own at the start, so that it is known to be there. In session mode nobody
    else is ever served by the server process that serves us.
    """
    import psycopg

    for _ in range(_TRIES):
        with connected(address, deadline_s=deadline_s) as other:
            try:
                if _pid_of(other) == pid:
                    break
            except psycopg.OperationalError:
                # A pooler in statement mode ends the connection that begins a transaction.
                break
        row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        if row is not None and row[0] != pid:
            break
    else:
        return
    message = explain(
        "a pooler in transaction mode stands before the database",
        expected="a connection that keeps its server process, for the lock that lets one migrator work at a time",
        found=f"a pooler that hands server process {pid} to others between our transactions",
        where=str(address),
    )
    raise PoolerError(message, remedy="migrate through PostgreSQL's own port, or a pool with pool_mode = session")


def _pid_of(connection: Connection) -> int | None:
    """Return the server process that serves `connection` in a transaction, None where a pooler makes it wait."""
    pgconn = connection.pgconn
    pgconn.send_query(b"BEGIN; SELECT pg_catalog.pg_backend_pid()")
    while pgconn.flush():
        select.select([], [pgconn.socket], [], 1.0)
    pid = None
    while True:
        if pgconn.is_busy():
            if not select.select([pgconn.socket], [], [], 1.0)[0]:
                connection.close()
                return None
            pgconn.consume_input()
            continue
        result = pgconn.get_result()
        if result is None:
            return pid
        if result.ntuples:
            value = result.get_value(0, 0)
            pid = None if value is None else int(value)
