"""Rows written so that writing them again changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import SeedError
from pytest_devenv.seed.failure import explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg
    from psycopg import sql

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
    Row: TypeAlias = dict[str, Any]

_SAME = "is it the same?"  # a column name that no table has by accident


def adapt(connection: Connection) -> None:
    """Let `dict` values of this connection be written as JSONB."""
    from psycopg.types.json import JsonbDumper

    connection.adapters.register_dumper(dict, JsonbDumper)


def table_name(table: str) -> sql.Identifier:
    """Return a table as SQL writes it, of `table` or `schema.table`."""
    from psycopg import sql

    return sql.Identifier(*table.split(".", 1))


def check_columns(seed: str, table: str, rows: Sequence[Mapping[str, object]], key: Sequence[str]) -> None:
    """Refuse rows that have different columns, or none for the key, or that name one key twice. Raises SeedError."""
    fault = None
    keys = [repr([row.get(name) for name in key]) for row in rows]
    if not key:
        fault = "no key"
    elif any(set(row) != set(rows[0]) or not set(key) <= set(row) for row in rows):
        fault = "rows with different columns, or without those of the key"
    elif len(set(keys)) != len(keys):
        fault = f"two rows with one key, such as {next(one for one in keys if keys.count(one) > 1)}"
    if fault is not None:
        message = explain(
            f"{seed} cannot write these rows of {table}",
            expected="a key, and rows that all have its columns and the same others",
            found=fault,
            where=f"table {table}",
        )
        raise SeedError(message, remedy="give every row the same columns, each key once")


def select_rows(connection: Connection, table: str, key: Mapping[str, object], *, limit: int) -> list[Row]:
    """Return the rows with this key, at most `limit`."""
    from psycopg import sql
    from psycopg.rows import dict_row

    query = sql.SQL("SELECT * FROM {} WHERE {} LIMIT {}").format(table_name(table), _where(key), sql.Literal(limit))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, _given(key)).fetchall()


def write_rows(
    connection: Connection,
    seed: str,
    table: str,
    rows: Sequence[Row],
    key: tuple[str, ...],
    initial: Sequence[Mapping[str, object]] | None,
) -> list[Row]:
    """Insert what is not there, update what differs, and return all rows as they are then, in the order of `rows`.

    PostgreSQL itself compares, so that `'1'` and `1`, or a text and an enum's value, are what they are there.
    """
    keys = [{name: row[name] for name in key} for row in rows]
    values = [{name: value for name, value in row.items() if name not in key} for row in rows]
    found = _select_all(connection, seed, table, keys, values)
    missing = [index for index, row in enumerate(found) if row is None]
    different = [index for index, row in enumerate(found) if row is not None and not row.pop(_SAME)]
    new = [{**(initial[index] if initial else {}), **rows[index]} for index in missing]
    for index, row in zip(missing, _insert_all(connection, table, new), strict=True):
        found[index] = row
    updates = [(keys[index], values[index]) for index in different]
    for index, row in zip(different, _update_all(connection, table, updates), strict=True):
        found[index] = row
    return [row for row in found if row is not None]


def _select_all(
    connection: Connection, seed: str, table: str, keys: Sequence[Row], values: Sequence[Row]
) -> list[Row | None]:
    from psycopg import sql

    queries = []
    for key, value in zip(keys, values, strict=True):
        same = sql.SQL(" AND ").join(
            [sql.SQL("true"), *(sql.SQL("{} IS NOT DISTINCT FROM %s").format(sql.Identifier(name)) for name in value)]
        )
        query = sql.SQL("SELECT *, {} AS {} FROM {} WHERE {} LIMIT 2 FOR UPDATE").format(
            same, sql.Identifier(_SAME), table_name(table), _where(key)
        )
        queries.append((query, [*value.values(), *_given(key)]))
    found: list[Row | None] = []
    for key, rows in zip(keys, _batch(connection, queries), strict=True):
        if len(rows) > 1:
            message = explain(
                f"{seed} cannot tell which row of {table} to write",
                expected=f"at most one row with {', '.join(f'{name} = {value!r}' for name, value in key.items())}",
                found="at least 2",
                where=f"table {table}",
            )
            raise SeedError(message, remedy="give a key that tells the rows apart")
        found.append(rows[0] if rows else None)
    return found


def _insert_all(connection: Connection, table: str, rows: Sequence[Mapping[str, object]]) -> list[Row]:
    from psycopg import sql

    queries = []
    for row in rows:
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            table_name(table),
            sql.SQL(", ").join(sql.Identifier(name) for name in row),
            sql.SQL(", ").join(sql.SQL("%s") for _ in row),
        )
        queries.append((query, list(row.values())))
    return [rows[0] for rows in _batch(connection, queries)]


def _update_all(connection: Connection, table: str, rows: Sequence[tuple[Row, Row]]) -> list[Row]:
    from psycopg import sql

    queries = []
    for key, values in rows:
        query = sql.SQL("UPDATE {} SET {} WHERE {} RETURNING *").format(
            table_name(table),
            sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values),
            _where(key),
        )
        queries.append((query, [*values.values(), *_given(key)]))
    return [rows[0] for rows in _batch(connection, queries)]


def _batch(connection: Connection, queries: Sequence[tuple[sql.Composed, list[object]]]) -> list[list[Row]]:
    """Send all queries before the first answer is read: one way to the server and back, however many rows."""
    from psycopg.rows import dict_row

    if not queries:
        return []
    if len(queries) == 1:
        with connection.cursor(row_factory=dict_row) as cursor:
            return [cursor.execute(*queries[0]).fetchall()]
    cursors = []
    with connection.pipeline():
        for query, parameters in queries:
            cursor = connection.cursor(row_factory=dict_row)
            cursor.execute(query, parameters)
            cursors.append(cursor)
    return [cursor.fetchall() for cursor in cursors]


def _where(key: Mapping[str, object]) -> sql.Composable:
    from psycopg import sql

    conditions = [
        sql.SQL("{} IS NULL" if value is None else "{} = %s").format(sql.Identifier(name))
        for name, value in key.items()
    ]
    return sql.SQL(" AND ").join([sql.SQL("true"), *conditions])


def _given(key: Mapping[str, object]) -> list[object]:
    return [value for value in key.values() if value is not None]
