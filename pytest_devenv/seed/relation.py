"""Tables as tracking sees them: their key, their columns, and their rows as text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, LiteralString, TypeAlias

from pytest_devenv.seed.names import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg
    from psycopg import sql

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

Image: TypeAlias = dict[str, str | None]
"""A row, or a part of it: each value as PostgreSQL writes it, which is how it reads it back without loss."""
Key: TypeAlias = tuple[str | None, ...]
Marked: TypeAlias = tuple[str, Image]
"""A row, and what tells where it comes from."""

_IDS = 2**32
_MADE: tuple[LiteralString, LiteralString] = (
    "t.xmin::text",
    "(t.xmin::text::bigint - %(own)s + 4294967296) %% 4294967296 < 2147483648",
)
_REPLACED: tuple[LiteralString, LiteralString] = ("t.ctid::text", "t.xmax <> '0'::xid")

_SHAPES = """
    SELECT c.oid, n.nspname, c.relname,
        (SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
        (SELECT pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
        (SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum = ANY(i.keys))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
        SELECT i.indkey::smallint[] AS keys FROM pg_catalog.pg_index i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
            AND a.attnum = ANY(i.indkey::smallint[]) AND NOT a.attnotnull)
        ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1) i ON true
    WHERE c.oid = ANY(%(oids)s) OR (c.relkind = 'r' AND c.relnamespace IN (
        SELECT o.relnamespace FROM pg_catalog.pg_class o WHERE o.oid = ANY(%(oids)s)
        UNION SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = %(schema)s))
    ORDER BY c.oid <> ALL(%(oids)s) LIMIT %(limit)s
"""
_ALONGSIDE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table: its columns with their types, and those of its primary key, or of a unique one without nulls.

    `key` is empty where there is neither.
    """

    oid: int
    schema: str
    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def shown(self) -> str:
        """Schema and table as people write them."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """Schema and table as SQL writes them."""
        return identifier(self.schema, self.name)

    def type_of(self, column: str) -> sql.SQL:
        """Return the type of a column as the server spells it."""
        from psycopg import sql

        return sql.SQL(self.types[self.columns.index(column)].replace("%", "%%"))  # as format_type() wrote it

    def key_of(self, image: Image) -> Key:
        """Return the values of the key, of all columns where there is none."""
        return tuple(image[name] for name in self.key or self.columns)

    def matches(self, alias: str, source: LiteralString) -> sql.Composed:
        """Return the condition that the row `alias` is the one whose key is in the JSON object `source`.

        Without a key all columns are compared, as text.
        """
        from psycopg import sql

        if self.key:
            return sql.SQL(" AND ").join(
                sql.SQL("{a}.{column} = ({source} ->> {text})::{type}").format(
                    a=identifier(alias),
                    column=identifier(name),
                    source=sql.SQL(source),
                    text=literal(name),
                    type=self.type_of(name),
                )
                for name in self.key
            )
        return sql.SQL(" AND ").join(
            sql.SQL("{a}.{column}::text IS NOT DISTINCT FROM {source} ->> {text}").format(
                a=identifier(alias),
                column=identifier(name),
                source=sql.SQL(source),
                text=literal(name),
            )
            for name in self.columns
        )


def read_relations(connection: Connection, oids: Sequence[int], schema: str | None = None) -> dict[int, Relation]:
    """Look up tables by their object ids, and others of their schemas, or of `schema`: they will be asked for next."""
    parameters = {"oids": list(oids), "schema": schema, "limit": len(oids) + _ALONGSIDE}
    rows = connection.execute(_SHAPES, parameters).fetchall()
    return {
        oid: Relation(
            oid=oid,
            schema=schema,
            name=name,
            columns=tuple(columns or ()),
            types=tuple(types or ()),
            key=tuple(key or ()),
        )
        for oid, schema, name, columns, types, key in rows
    }


def find_relations(connection: Connection, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Relation]:
    """Look up tables by schema and name; those that are not there are left out."""
    rows = connection.execute(
        "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN unnest(%s::text[], %s::text[]) AS w(s, t) ON n.nspname = w.s AND c.relname = w.t"
        " WHERE c.relkind = 'r'",
        [[schema for schema, _ in tables], [name for _, name in tables]],
    ).fetchall()
    if not rows:
        return {}
    found = read_relations(connection, [row[0] for row in rows])
    wanted = set(tables)
    by_name = {(relation.schema, relation.name): relation for relation in found.values()}
    return {name: relation for name, relation in by_name.items() if name in wanted}


def image_of(alias: str, columns: Iterable[str]) -> sql.Composed:
    """Return the expression that makes a JSON object of a row's columns, each as text."""
    from psycopg import sql

    names = list(columns)
    return sql.SQL("pg_catalog.jsonb_object(ARRAY[{}]::text[], ARRAY[{}]::text[])").format(
        sql.SQL(", ").join(literal(name) for name in names),
        sql.SQL(", ").join(sql.SQL("{}::text").format(identifier(alias, name)) for name in names),
    )


def select_made(connection: Connection, relations: Sequence[Relation], own: int) -> dict[int, list[Marked]]:
    """Read the rows that the transaction `own`, or one that began after it, has made; each with the id of its maker.

    Ids wrap around at 2^32, and a savepoint has an id of its own, which comes after that of its transaction.
    """
    found: dict[int, list[Marked]] = {}
    for oid, mark, image in connection.execute(_union(relations, _MADE), {"own": own % _IDS}):
        found.setdefault(oid, []).append((mark, image))
    return found


def ask_replaced(connection: Connection, relations: Sequence[Relation]) -> None:
    """Ask for the rows that somebody has begun to update or delete; `hear_replaced` has to be called next."""
    query = _union(relations, _REPLACED).as_bytes(connection).replace(b"%%", b"%")  # as psycopg does for parameters
    connection.pgconn.send_query(query)
    connection.pgconn.flush()


def hear_replaced(connection: Connection) -> dict[int, list[Marked]]:
    """Wait for the rows that were asked for, each with its place in the table.

    Some were only locked, or are left over from a transaction that failed.
    """
    from psycopg import generators, pq
    from psycopg.errors import error_from_result

    (result,) = connection.wait(generators.execute(connection.pgconn))
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise error_from_result(result)
    found: dict[int, list[Marked]] = {}
    for number in range(result.ntuples):
        oid, place, image = ((result.get_value(number, column) or b"").decode() for column in range(3))
        found.setdefault(int(oid), []).append((place, json.loads(image)))
    return found


def select_places(connection: Connection, relation: Relation, places: Sequence[str]) -> set[str]:
    """Return those of these places in the table at which the connection sees a row."""
    from psycopg import sql

    query = sql.SQL("SELECT ctid::text FROM ONLY {} WHERE ctid = ANY(%s::text[]::tid[])").format(relation.identifier)
    return {row[0] for row in connection.execute(query, [list(places)])}


def own_ids(witness: Connection, own: int, ids: Iterable[int]) -> set[int]:
    """Return those ids, of rows that the transaction `own` sees, that are its savepoints'; the others' are committed.

    An id from before the last wrap-around may look like one that is still to come; the server is not asked for those.
    """
    row = witness.execute("SELECT pg_catalog.pg_current_xact_id()::text").fetchone()
    end = own if row is None else int(row[0])
    whole = {own + (number - own) % _IDS: number for number in ids}
    past = [number for number in whole if number < end]
    rows = witness.execute(
        "SELECT i FROM unnest(%s::text[]) AS i WHERE pg_catalog.pg_xact_status(i::xid8) = 'in progress'",
        [[str(number) for number in past]],
    )
    return {whole[int(number)] for (number,) in rows}


def _union(relations: Sequence[Relation], query: tuple[LiteralString, LiteralString]) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(" UNION ALL ").join(_rows_of(relation, *query) for relation in relations)


@lru_cache(maxsize=512)
def _rows_of(relation: Relation, mark: LiteralString, condition: LiteralString) -> sql.SQL:
    from psycopg import sql

    query = sql.SQL("SELECT {oid}::bigint, {mark}, {image} FROM ONLY {table} t WHERE {condition}").format(
        oid=sql.Literal(relation.oid),
        mark=sql.SQL(mark),
        image=image_of("t", relation.columns),
        table=relation.identifier,
        condition=sql.SQL(condition),
    )
    return sql.SQL(query.as_string(None))  # kept, since composing is slow


def select_present(connection: Connection, relation: Relation, keys: Iterable[Image]) -> dict[Key, Image]:
    """Return, by key, those of the rows with these keys that the connection sees."""
    from psycopg import sql
    from psycopg.types.json import Jsonb

    query = sql.SQL(
        "SELECT {image} FROM pg_catalog.jsonb_array_elements(%s) AS k(v) JOIN ONLY {table} t ON {matches}"
    ).format(
        image=image_of("t", relation.columns),
        table=relation.identifier,
        matches=relation.matches("t", "k.v"),
    )
    wanted = [{name: key[name] for name in relation.key or relation.columns} for key in keys]
    return {relation.key_of(row[0]): row[0] for row in connection.execute(query, [Jsonb(wanted)])}
