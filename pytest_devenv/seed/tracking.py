"""What a transaction wrote, row by row, asked of PostgreSQL itself.

Nothing is installed in the database. The transaction's own locks name the tables it wrote to, the row versions it
made carry its id, and a second connection, the witness, still reads what they replaced: the writer's row locks keep
that unchanged until it ends. So raw SQL, COPY, functions, triggers and cascades are all seen.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import explain
from pytest_devenv.seed.failure import UntrackedError
from pytest_devenv.seed.model import Rows
from pytest_devenv.seed.relation import (
    Image,
    Marked,
    Relation,
    ask_replaced,
    hear_replaced,
    own_ids,
    read_relations,
    select_made,
    select_places,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_WRITTEN = """
    SELECT l.relation, c.relkind::text, pg_catalog.bool_or(l.mode = 'AccessExclusiveLock'), n.nspname, c.relname,
        pg_catalog.pg_current_xact_id_if_assigned()::text
    FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
    AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    AND (c.oid IS NULL OR c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%')
    GROUP BY 1, 2, 4, 5
"""
SPELLING = (
    "SET {} TimeZone = 'UTC'; SET {} DateStyle = 'ISO, YMD'; SET {} IntervalStyle = 'postgres';"
    " SET {} bytea_output = 'hex'; SET {} extra_float_digits = 1; SET {} lc_monetary = 'C'"
)
SAME_SPELLING, SAME_SPELLING_HERE = SPELLING.replace("{}", "SESSION"), SPELLING.replace("{}", "LOCAL")
_DIGEST_LETTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a transaction did to one row.

    `before` holds the former values of a deleted row, or of the changed columns of an updated one; it is None for an
    inserted row. `written` holds digests of the new values in the same way; it is None for a deleted row. `keyless`
    tells that the table has no key, so that all columns stand for one; such a row was inserted.
    """

    schema: str
    table: str
    key: Image
    before: Image | None
    written: dict[str, str] | None
    keyless: bool = False

    @property
    def relation(self) -> str:
        """Schema and table as people write them."""
        return self.table if self.schema == "public" else f"{self.schema}.{self.table}"

    @property
    def row(self) -> tuple[str, str, str]:
        """What tells this row from all others."""
        return self.schema, self.table, json.dumps(self.key, sort_keys=True)


@dataclass(slots=True)
class Tracker:
    """Two connections to one database, and the shapes of the tables met so far.

    `ignored` are tables whose rows are nobody's data: those of the history. Both have to write values in one way: the
    witness always, the writer from `SAME_SPELLING_HERE` on. `strict` refuses what could not be taken back.
    """

    writer: Connection
    witness: Connection
    ignored: frozenset[tuple[str, str]]
    strict: bool = True
    relations: dict[int, Relation] = field(default_factory=dict)

    def get_ready(self, schema: str) -> None:
        """Look at the tables of a schema, and have the server prepare, before the first transaction."""
        self.writer.execute(_WRITTEN, prepare=True)
        self.relations |= read_relations(self.writer, [], schema)

    def changes(self) -> tuple[Change, ...]:
        """Return what the writer's transaction has changed so far. Raises UntrackedError for what has no rows."""
        locked = self.writer.execute(_WRITTEN, prepare=True).fetchall()
        if not locked or locked[0][-1] is None:
            return ()
        own = int(locked[0][-1])
        written = self._written_relations([row[:3] for row in locked if row[3:5] not in self.ignored])
        if not written:
            return ()
        with self.witness.lock:  # it serves several seeds; this one reads on both connections at once
            ask_replaced(self.witness, written)
            try:
                new = select_made(self.writer, written, own)
            finally:
                replaced = hear_replaced(self.witness)
        made = self._own(own, new)
        found: list[Change] = []
        for relation in written:
            compare = self._compare if relation.key else self._insertions
            found += compare(relation, made.get(relation.oid, []), replaced.get(relation.oid, []))
        return tuple(found)

    def _own(self, own: int, made: dict[int, list[Marked]]) -> dict[int, list[Image]]:
        """Keep the rows that the writer itself made, in its savepoints too."""
        ids = {int(mark) for rows in made.values() for mark, _ in rows}
        mine = {own % 2**32}
        if ids - mine:
            mine |= own_ids(self.witness, own, ids - mine)
        return {oid: [image for mark, image in rows if int(mark) in mine] for oid, rows in made.items()}

    def _written_relations(self, rows: list[tuple[int, str | None, bool]]) -> list[Relation]:
        gone = [oid for oid, kind, _ in rows if kind is None]
        missing = [oid for oid, kind, _ in rows if kind is not None and oid not in self.relations]
        if self.strict and gone:
            self._refuse_dropped(gone)
        if missing:
            self.relations |= read_relations(self.writer, missing)
        found = []
        for oid, kind, exclusively in rows:
            relation = self.relations.get(oid)
            if relation is None:
                continue
            if self.strict and (exclusively or kind == "f"):
                _refuse(relation.shown, "it emptied it at one stroke, changed its columns, or created it")
            if kind == "r":
                found.append(relation)
        return found

    def _refuse_dropped(self, oids: list[int]) -> None:
        row = self.witness.execute(
            "SELECT oid::pg_catalog.regclass::text FROM pg_catalog.pg_class"
            " WHERE oid = ANY(%s) AND relkind IN ('r', 'p') AND relpersistence <> 't'",
            [oids],
        ).fetchone()
        if row is not None:
            _refuse(row[0], "it dropped it")

    def _compare(self, relation: Relation, made: list[Image], replaced: list[Marked]) -> list[Change]:
        old = {relation.key_of(image): (place, image) for place, image in replaced}
        found = []
        for image in made:
            _, before = old.pop(relation.key_of(image), (None, None))
            change = _change(relation, before, image)
            if change is not None:
                found.append(change)
        return found + [_deletion(relation, image) for image in self._replaced(relation, list(old.values()))]

    def _insertions(self, relation: Relation, made: list[Image], replaced: list[Marked]) -> list[Change]:
        """Return the rows inserted into a table without a key, whose other rows cannot be told apart."""
        if self.strict and self._replaced(relation, replaced):
            found = "it updated or deleted rows of it, and it has no primary key to find them by again"
            _refuse(relation.shown, found)
        return [
            Change(
                schema=relation.schema,
                table=relation.name,
                key=image,
                before=None,
                written={name: digest(value) for name, value in image.items()},
                keyless=True,
            )
            for image in made
        ]

    def _replaced(self, relation: Relation, suspects: list[Marked]) -> list[Image]:
        """Tell which rows the writer replaced; the others were only locked, or left by a transaction that failed."""
        if suspects:
            kept = select_places(self.writer, relation, [place for place, _ in suspects])
            suspects = [one for one in suspects if one[0] not in kept]
        if suspects:  # somebody else may have deleted and committed between the two looks
            still = select_places(self.witness, relation, [place for place, _ in suspects])
            suspects = [one for one in suspects if one[0] in still]
        return [image for _, image in suspects]


def count(changes: Iterable[Change]) -> dict[str, Rows]:
    """Count changes by table."""
    kinds: dict[str, Counter[str]] = {}
    for change in changes:
        kind = "inserted" if change.before is None else "deleted" if change.written is None else "updated"
        kinds.setdefault(change.relation, Counter())[kind] += 1
    return {name: Rows(**kinds[name]) for name in sorted(kinds)}


def digest(value: str | None) -> str:
    """Return what tells a value from another without telling the value."""
    return "" if value is None else hashlib.sha256(value.encode()).hexdigest()[:_DIGEST_LETTERS]


def _change(relation: Relation, before: Image | None, after: Image) -> Change | None:
    if before is None:
        columns = list(after)
    else:
        columns = [name for name in after if after[name] != before.get(name)]
        if not columns:
            return None
    return Change(
        schema=relation.schema,
        table=relation.name,
        key={name: after[name] for name in relation.key},
        before=None if before is None else {name: before.get(name) for name in columns},
        written={name: digest(after[name]) for name in columns},
    )


def _deletion(relation: Relation, image: Image) -> Change:
    key = {name: image[name] for name in relation.key}
    return Change(schema=relation.schema, table=relation.name, key=key, before=image, written=None)


def _refuse(relation: str, found: str) -> None:
    message = explain(
        f"a seed did to {relation} what cannot be taken back",
        expected="rows that are inserted, updated or deleted",
        found=found,
        where=f"table {relation}",
    )
    raise UntrackedError(message, remedy="use DELETE FROM or a temporary table; what changes the schema is a migration")
