"""Rows written so that writing them again changes nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed.names import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg
    from psycopg import sql

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
    Row: TypeAlias = dict[str, Any]

_NUMBER = "number of the row"  # a column name that no table has by accident
_AT_ONCE = 200


def adapt(connection: Connection) -> None:
    """Let `dict` values of this connection be written as JSONB."""
    from psycopg.types.json import JsonbDumper

    connection.adapters.register_dumper(dict, JsonbDumper)


def table_name(table: str) -> sql.Identifier:
    """Return a table as SQL writes it, of `table` or `schema.table`."""
    return identifier(*table.split(".", 1))


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
    from psycopg.rows import dict_row

    given = [value for value in key.values() if value is not None]
    query = _selection(table, tuple((name, value is None) for name, value in key.items()), limit)
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, given).fetchall()


@lru_cache(maxsize=256)
def _selection(table: str, key: tuple[tuple[str, bool], ...], limit: int) -> sql.SQL:
    from psycopg import sql

    conditions = [sql.SQL("{} IS NULL" if is_null else "{} = %s").format(identifier(name)) for name, is_null in key]
    query = sql.SQL("SELECT * FROM {} WHERE {} LIMIT {}").format(
        table_name(table), sql.SQL(" AND ").join([sql.SQL("true"), *conditions]), limit
    )
    return sql.SQL(query.as_string(None))  # kept, since composing is slow


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
    written: list[Row] = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        extra = [{}] * len(part) if initial is None else initial[start : start + _AT_ONCE]
        written += _write(connection, seed, table, part, key, extra)
    return written


def _write(
    connection: Connection,
    seed: str,
    table: str,
    rows: Sequence[Row],
    key: tuple[str, ...],
    initial: Sequence[Mapping[str, object]],
) -> list[Row]:
    """Do it in one statement, whose first part gives each parameter the type of its column."""
    from psycopg.rows import dict_row

    columns = tuple(rows[0])
    extra = tuple(name for name in initial[0] if name not in columns)
    values = [
        [row[name] for name in columns] + [more[name] for name in extra]
        for row, more in zip(rows, initial, strict=True)
    ]
    nullable = tuple(name for name in key if any(row[name] is None for row in rows))
    query = _statement(table, columns, extra, key, nullable, len(rows))
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, [value for row in values for value in row]).fetchall()
    written: dict[int, Row] = {}
    for row in found:
        number = row.pop(_NUMBER)
        if number in written:
            raise _ambiguous(seed, table, {name: rows[number][name] for name in key}, "at least 2")
        written[number] = row
    for number in range(len(rows)):
        if number not in written:
            found_none = "none after it was written: a trigger or a rule of the table changed it"
            raise _ambiguous(seed, table, {name: rows[number][name] for name in key}, found_none)
    return [written[number] for number in range(len(rows))]


@lru_cache(maxsize=256)
def _statement(
    table: str,
    columns: tuple[str, ...],
    extra: tuple[str, ...],
    key: tuple[str, ...],
    nullable: tuple[str, ...],
    rows: int,
) -> sql.SQL:
    from psycopg import sql

    every = [identifier(name) for name in (*columns, *extra)]
    values = [identifier(name) for name in columns if name not in key]
    number = identifier(_NUMBER)
    given = [
        sql.SQL("SELECT {}, {}").format(sql.Literal(index), sql.SQL(", ").join([sql.SQL("%s")] * len(every)))
        for index in range(rows)
    ]
    composed = sql.SQL(
        """
        WITH wanted ({number}, {every}) AS (SELECT 0, {every} FROM {table} WHERE false UNION ALL {given}),
        old AS (SELECT w.{number}, t AS old_row, {same} AS is_same FROM wanted w JOIN {table} t ON {match}),
        made AS (
            INSERT INTO {table} ({every}) SELECT {every} FROM wanted
            WHERE {number} NOT IN (SELECT {number} FROM old) ORDER BY {number} RETURNING *),
        changed AS ({update})
        SELECT w.{number}, t.* FROM made t JOIN wanted w ON {match}
        UNION ALL SELECT * FROM changed
        UNION ALL SELECT {number}, (old_row).* FROM old WHERE is_same
        """
    ).format(
        number=number,
        every=sql.SQL(", ").join(every),
        table=table_name(table),
        given=sql.SQL(" UNION ALL ").join(given),
        same=sql.SQL(" AND ").join(
            [sql.SQL("true"), *(sql.SQL("t.{0} IS NOT DISTINCT FROM w.{0}").format(name) for name in values)]
        ),
        match=sql.SQL(" AND ").join(
            sql.SQL("t.{0} IS NOT DISTINCT FROM w.{0}" if name in nullable else "t.{0} = w.{0}").format(
                identifier(name)
            )
            for name in key
        ),
        update=_update(table, key, nullable, values),
    )
    return sql.SQL(composed.as_string(None))  # kept, since composing is slow


def _update(
    table: str, key: tuple[str, ...], nullable: tuple[str, ...], values: Sequence[sql.Identifier]
) -> sql.Composable:
    from psycopg import sql

    number = identifier(_NUMBER)
    if not values:  # a row that is nothing but its key cannot differ
        return sql.SQL("SELECT {}, (old_row).* FROM old WHERE false").format(number)
    return sql.SQL(
        "UPDATE {table} t SET {values} FROM wanted w WHERE {match}"
        " AND w.{number} IN (SELECT {number} FROM old WHERE NOT is_same) RETURNING w.{number}, t.*"
    ).format(
        table=table_name(table),
        values=sql.SQL(", ").join(sql.SQL("{0} = w.{0}").format(name) for name in values),
        match=sql.SQL(" AND ").join(
            sql.SQL("t.{0} IS NOT DISTINCT FROM w.{0}" if name in nullable else "t.{0} = w.{0}").format(
                identifier(name)
            )
            for name in key
        ),
        number=number,
    )


def _ambiguous(seed: str, table: str, key: Mapping[str, object], found: str) -> SeedError:
    message = explain(
        f"{seed} cannot tell which row of {table} it writes",
        expected=f"one row with {', '.join(f'{name} = {value!r}' for name, value in key.items())}",
        found=found,
        where=f"table {table}",
    )
    return SeedError(message, remedy="give a key that tells the rows apart")
