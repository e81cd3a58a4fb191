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

_NUMBER, _SAME = "number of the row", "row is as wanted"  # column names that no table has by accident
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
    given = [value for value in key.values() if value is not None]
    return _fetch(
        connection, _selection(table, tuple((name, value is None) for name, value in key.items()), limit), given
    )


@lru_cache(maxsize=256)
def _selection(table: str, key: tuple[tuple[str, bool], ...], limit: int) -> sql.SQL:
    from psycopg import sql

    conditions = [sql.SQL("{} IS NULL" if is_null else "{} = %s").format(identifier(name)) for name, is_null in key]
    return _kept(
        sql.SQL("SELECT * FROM {} WHERE {} LIMIT {}").format(
            table_name(table), sql.SQL(" AND ").join([sql.SQL("true"), *conditions]), limit
        )
    )


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
    """Look for the rows, then send what has to be: two small statements are planned sooner than one that does all."""
    found = _find(connection, seed, table, rows, key)
    missing = [number for number in range(len(rows)) if number not in found]
    differing = [number for number, row in found.items() if not row.pop(_SAME)]
    if missing:
        made = _insert(connection, seed, table, [{**initial[number], **rows[number]} for number in missing], key)
        found.update(zip(missing, made, strict=True))
    if differing:
        columns, nullable = _shape([rows[number] for number in differing], key)
        query = _update(table, columns, key, nullable, len(differing))
        for row in _fetch(connection, query, [rows[number][name] for number in differing for name in columns]):
            found[differing[row.pop(_NUMBER)]] = row
    return [found[number] for number in range(len(rows))]


def _find(
    connection: Connection, seed: str, table: str, rows: Sequence[Row], key: tuple[str, ...]
) -> dict[int, dict[str, Any]]:
    """Return those of the rows that are there, by their numbers, each with whether it is as wanted."""
    columns, nullable = _shape(rows, key)
    query = _selection_of(table, columns, key, nullable, len(rows))
    found: dict[int, Row] = {}
    for row in _fetch(connection, query, [row[name] for row in rows for name in columns]):
        number = row.pop(_NUMBER)
        if number in found:
            raise _ambiguous(seed, table, {name: rows[number][name] for name in key}, "at least 2")
        found[number] = row
    return found


def _insert(connection: Connection, seed: str, table: str, rows: Sequence[Row], key: tuple[str, ...]) -> Sequence[Row]:
    """Insert rows and return them. Raises SeedError where one cannot be found by its key then."""
    columns = tuple(rows[0])
    made = _fetch(connection, _insertion(table, columns, len(rows)), [row[name] for row in rows for name in columns])
    if len(made) == len(rows) and all(
        row[name] == one[name] for row, one in zip(rows, made, strict=True) for name in key
    ):
        return made
    found = _find(connection, seed, table, rows, key)  # a trigger was at work, or a value is written in another way
    for number, row in enumerate(rows):
        if number not in found:
            found_none = "none after it was written: a trigger or a rule of the table changed it"
            raise _ambiguous(seed, table, {name: row[name] for name in key}, found_none)
    return [{name: value for name, value in found[number].items() if name != _SAME} for number in range(len(rows))]


def _shape(rows: Sequence[Row], key: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of rows, and those of the key that are null in one."""
    return tuple(rows[0]), tuple(name for name in key if any(row[name] is None for row in rows))


def _fetch(connection: Connection, query: sql.SQL, values: Sequence[object]) -> list[Row]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()


@lru_cache(maxsize=256)
def _selection_of(
    table: str, columns: tuple[str, ...], key: tuple[str, ...], nullable: tuple[str, ...], rows: int
) -> sql.SQL:
    from psycopg import sql

    same = [sql.SQL("t.{0} IS NOT DISTINCT FROM w.{0}").format(identifier(name)) for name in columns if name not in key]
    return _kept(
        sql.SQL("SELECT t.*, w.{number}, {same} AS {is_same} FROM ({wanted}) w JOIN {table} t ON {match}").format(
            number=identifier(_NUMBER),
            same=sql.SQL(" AND ").join([sql.SQL("true"), *same]),
            is_same=identifier(_SAME),
            wanted=_wanted(table, columns, rows),
            table=table_name(table),
            match=_match(key, nullable),
        )
    )


@lru_cache(maxsize=256)
def _insertion(table: str, columns: tuple[str, ...], rows: int) -> sql.SQL:
    from psycopg import sql

    given = sql.SQL("({})").format(sql.SQL(", ").join([sql.SQL("%s")] * len(columns)))
    return _kept(
        sql.SQL("INSERT INTO {table} ({columns}) VALUES {given} RETURNING *").format(
            table=table_name(table),
            columns=sql.SQL(", ").join(identifier(name) for name in columns),
            given=sql.SQL(", ").join([given] * rows),
        )
    )


@lru_cache(maxsize=256)
def _update(
    table: str, columns: tuple[str, ...], key: tuple[str, ...], nullable: tuple[str, ...], rows: int
) -> sql.SQL:
    from psycopg import sql

    values = [sql.SQL("{0} = w.{0}").format(identifier(name)) for name in columns if name not in key]
    return _kept(
        sql.SQL("UPDATE {table} t SET {values} FROM ({wanted}) w WHERE {match} RETURNING t.*, w.{number}").format(
            table=table_name(table),
            values=sql.SQL(", ").join(values),
            wanted=_wanted(table, columns, rows),
            match=_match(key, nullable),
            number=identifier(_NUMBER),
        )
    )


def _wanted(table: str, columns: tuple[str, ...], rows: int) -> sql.Composed:
    """Return the rows as a query, whose first part gives each parameter the type of its column."""
    from psycopg import sql

    names = sql.SQL(", ").join(identifier(name) for name in columns)
    given = [
        sql.SQL("SELECT {}, {}").format(sql.Literal(index), sql.SQL(", ").join([sql.SQL("%s")] * len(columns)))
        for index in range(rows)
    ]
    return sql.SQL("SELECT 0 AS {number}, {names} FROM {table} WHERE false UNION ALL {given}").format(
        number=identifier(_NUMBER), names=names, table=table_name(table), given=sql.SQL(" UNION ALL ").join(given)
    )


def _match(key: tuple[str, ...], nullable: tuple[str, ...]) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(" AND ").join(
        sql.SQL("t.{0} IS NOT DISTINCT FROM w.{0}" if name in nullable else "t.{0} = w.{0}").format(identifier(name))
        for name in key
    )


def _kept(composed: sql.Composed) -> sql.SQL:
    """Return a statement as one text, since composing is slow."""
    from psycopg import sql

    return sql.SQL(composed.as_string(None))


def _ambiguous(seed: str, table: str, key: Mapping[str, object], found: str) -> SeedError:
    message = explain(
        f"{seed} cannot tell which row of {table} it writes",
        expected=f"one row with {', '.join(f'{name} = {value!r}' for name, value in key.items())}",
        found=found,
        where=f"table {table}",
    )
    return SeedError(message, remedy="give a key that tells the rows apart")
