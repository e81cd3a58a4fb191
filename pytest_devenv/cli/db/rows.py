"""How many rows a database holds, counted where that is quick: the server's estimate is 0 until it analyses a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import psycopg

    from pytest_devenv.clients.marker import Contents

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

Rows: TypeAlias = dict[str, int]

_COUNTED_BYTES = 200_000_000
_PATIENCE_MS = 5000
_TABLES = """
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname, c.relname,
        greatest(c.reltuples, 0)::bigint, pg_catalog.pg_table_size(c.oid)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname NOT IN ('information_schema', 'pytest_devenv') ORDER BY 1
"""


def count_rows(connection: Connection) -> Rows:
    """Count the rows of every table; of one that is larger than 200 MB, take the server's estimate."""
    from psycopg import sql

    found: Rows = {}
    for shown, namespace, name, estimate, size in connection.execute(_TABLES).fetchall():
        found[shown] = estimate
        if size <= _COUNTED_BYTES:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(namespace, name))
            row = connection.execute(query).fetchone()
            found[shown] = 0 if row is None else row[0]
    return found


def told(connection: Connection, contents: Contents) -> str:
    """Return what a database holds, in one line, for a person who is asked whether it may be changed or destroyed."""
    import psycopg

    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = {_PATIENCE_MS}".encode())
            rows = f"{sum(count_rows(connection).values()):,} rows"
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.QueryCanceled):
        rows = f"about {contents.rows:,} rows"
    largest = f"; largest: {', '.join(contents.largest)}" if contents.largest else ""
    return f"{contents.tables} tables, {rows}, {contents.size_bytes / 1e6:.1f} MB{largest}"
