"""The statements that take tracked rows back: delete what was inserted, restore what was updated or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.seed.names import identifier, literal
from pytest_devenv.seed.relation import Relation, find_relations, select_present
from pytest_devenv.seed.tracking import Change, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import LiteralString

    import psycopg
    from psycopg import sql

    from pytest_devenv.seed.relation import Image

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
    _Part: TypeAlias = tuple[sql.Composed, Sequence[Mapping[str, object]]]

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What is to be taken back in one table, sorted by how.

    `obstacles` say which rows somebody has changed since, `notes` what is gone already and needs nothing.
    """

    relation: Relation
    inserted: tuple[Change, ...] = ()
    updated: tuple[Change, ...] = ()
    deleted: tuple[Change, ...] = ()
    obstacles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def prepare(connection: Connection, changes: Iterable[Change]) -> tuple[tuple[Undoing, ...], tuple[str, ...]]:
    """Compare tracked rows with what is there now; return what is to be done by table, and notes on missing tables."""
    by_table: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        by_table.setdefault((change.schema, change.table), []).append(change)
    relations = find_relations(connection, list(by_table))
    gone = [rows[0].relation for table, rows in by_table.items() if table not in relations]
    notes = tuple(f"table {name} is gone, and its rows with it" for name in gone)
    return tuple(
        _look(connection, relations[table], by_table[table]) for table in by_table if table in relations
    ), notes


def take_back(connection: Connection, work: Sequence[Undoing]) -> None:
    """Take everything back in one statement, at whose end references count: first what was inserted goes."""
    from psycopg import sql
    from psycopg.types.json import Jsonb

    deletions: list[_Part] = [
        (
            sql.SQL(
                "DELETE FROM ONLY {} t USING pg_catalog.jsonb_array_elements(%s) AS k(v) WHERE {} RETURNING 1"
            ).format(one.relation.identifier, one.relation.matches("t", "k.v")),
            [change.key for change in one.inserted],
        )
        for one in work
        if one.inserted and one.relation.key
    ]
    first = sql.SQL("").join(
        sql.SQL(" AND (SELECT count(*) FROM {}) >= 0").format(_part(number)) for number in range(len(deletions))
    )
    restorations = [
        _restoration(one.relation, columns, rows, first)
        for one in work
        for columns, rows in _by_columns(one.relation, one.updated)
    ]
    insertions = [_insertion(one, first) for one in work if one.deleted]
    parts = [*deletions, *restorations, *insertions]
    if parts:
        named = [sql.SQL("{} AS ({})").format(_part(number), part) for number, (part, _) in enumerate(parts)]
        query = sql.SQL("WITH {} SELECT").format(sql.SQL(", ").join(named))
        connection.execute(query, [Jsonb(rows) for _, rows in parts])
    for one in work:
        if one.inserted and not one.relation.key:
            _delete_keyless(connection, one)


def _part(number: int) -> sql.Identifier:
    from psycopg import sql

    return sql.Identifier(f"undo_{number}")


def _insertion(one: Undoing, first: sql.Composable) -> _Part:
    from psycopg import sql

    columns = one.relation.columns
    query = sql.SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {values} FROM pg_catalog.jsonb_array_elements(%s) AS k(v) WHERE true {first}"
    ).format(
        table=one.relation.identifier,
        columns=sql.SQL(", ").join(identifier(name) for name in columns),
        values=sql.SQL(", ").join(_value(one.relation, name, "k.v") for name in columns),
        first=first,
    )
    return query, [change.before or {} for change in one.deleted]


def _look(connection: Connection, relation: Relation, changes: list[Change]) -> Undoing:
    present = select_present(connection, relation, [change.key for change in changes])
    inserted, updated, deleted, obstacles, notes = [], [], [], [], []
    for change in changes:
        now = present.get(relation.key_of(change.key))
        row = f"{relation.shown} ({shown_key(relation, change.key)})"
        if change.written is None:
            if now is None:
                deleted.append(change)
            else:
                obstacles.append(f"{row} was written again after the seed deleted it")
        elif now is None:
            notes.append(f"{row} is gone already")
        elif columns := _altered(change, now):
            obstacles.append(f"{row} was changed since: {', '.join(columns)}")
        elif change.before is None:
            inserted.append(change)
        else:
            updated.append(change)
    return Undoing(
        relation=relation,
        inserted=tuple(inserted),
        updated=tuple(updated),
        deleted=tuple(deleted),
        obstacles=tuple(obstacles),
        notes=tuple(notes),
    )


def shown_key(relation: Relation, key: Image) -> str:
    """Return a row's key as people write it; of a row without one, the first columns."""
    names = relation.key or relation.columns[:_SHOWN]
    return ", ".join(f"{name} = {key.get(name)}" for name in names)


def _altered(change: Change, now: Image) -> list[str]:
    """Name the columns that hold something else than what the seed wrote; one that was dropped is none."""
    return [name for name, written in (change.written or {}).items() if name in now and digest(now[name]) != written]


def _by_columns(
    relation: Relation, changes: Iterable[Change]
) -> Iterable[tuple[tuple[str, ...], list[dict[str, Image]]]]:
    """Group updated rows by the columns that they get back; an `UPDATE` has one list of columns."""
    groups: dict[tuple[str, ...], list[dict[str, Image]]] = {}
    for change in changes:
        before = change.before or {}
        columns = tuple(name for name in relation.columns if name in before)
        groups.setdefault(columns, []).append({"key": change.key, "before": before})
    return [(columns, rows) for columns, rows in groups.items() if columns]


def _restoration(
    relation: Relation, columns: tuple[str, ...], rows: list[dict[str, Image]], first: sql.Composable
) -> _Part:
    from psycopg import sql

    query = sql.SQL(
        "UPDATE ONLY {table} t SET {values} FROM pg_catalog.jsonb_array_elements(%s) AS k(v) WHERE {match} {first}"
    ).format(
        table=relation.identifier,
        values=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(identifier(name), _value(relation, name, "(k.v -> 'before')")) for name in columns
        ),
        match=relation.matches("t", "(k.v -> 'key')"),
        first=first,
    )
    return query, rows


def _value(relation: Relation, column: str, source: LiteralString) -> sql.Composed:
    from psycopg import sql

    return sql.SQL("({source} ->> {name})::{type}").format(
        source=sql.SQL(source), name=literal(column), type=relation.type_of(column)
    )


def _delete_keyless(connection: Connection, one: Undoing) -> None:
    """Delete as many rows as were inserted of a table in which equal rows cannot be told apart."""
    from psycopg import sql
    from psycopg.types.json import Jsonb

    query = sql.SQL(
        "DELETE FROM ONLY {table} WHERE ctid = (SELECT t.ctid FROM (SELECT %s::jsonb) AS k(v)"
        " JOIN ONLY {table} t ON {match} LIMIT 1)"
    ).format(table=one.relation.identifier, match=one.relation.matches("t", "k.v"))
    for change in one.inserted:
        connection.execute(query, [Jsonb(change.key)])
