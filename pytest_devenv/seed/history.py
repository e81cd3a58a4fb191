"""The table `seed_history`: who applied which seed when, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import SeedError
from pytest_devenv.seed.failure import explain
from pytest_devenv.seed.model import Applied, Record
from pytest_devenv.seed.names import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

    import psycopg
    from psycopg import sql

    from pytest_devenv.seed.model import Rows, Seed, Step
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

TABLE, ROWS, TYPE, GUARD = "seed_history", "seed_history_rows", "seed_status_enum", "seed_history_is_whole"
_CREATE = """
    CREATE TYPE {type} AS ENUM ('Active', 'Inactive', 'Orphaned');
    CREATE TABLE {table} (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        version integer NOT NULL,
        environment text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
        applied_by text NOT NULL DEFAULT session_user,
        status {type} NOT NULL,
        notes text,
        error text,
        details jsonb NOT NULL DEFAULT '{{}}');
    COMMENT ON TABLE {table} IS 'pytest-devenv: the seeds that were applied to this database';
    CREATE UNIQUE INDEX ON {table} (name) WHERE status <> 'Inactive';
    CREATE TABLE {rows} (
        history_id bigint NOT NULL,
        number integer NOT NULL,
        schema_name text NOT NULL,
        table_name text NOT NULL,
        key jsonb NOT NULL,
        before jsonb,
        written jsonb,
        keyless boolean NOT NULL,
        PRIMARY KEY (history_id, number));
    CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $guard$
    DECLARE whole boolean;
    BEGIN
        EXECUTE pg_catalog.format('SELECT details ? ''duration_ms'' FROM %I.%I WHERE id = $1',
            TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO whole USING NEW.id;
        IF NOT whole THEN
            RAISE EXCEPTION 'a seed must not end its own transaction'
                USING ERRCODE = 'invalid_transaction_termination';
        END IF;
        RETURN NULL;
    END $guard$;
    CREATE CONSTRAINT TRIGGER {trigger} AFTER INSERT ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {guard}();
"""
_FINISH = (
    "WITH written AS (INSERT INTO {rows}"
    " (history_id, number, schema_name, table_name, key, before, written, keyless)"
    " SELECT %(id)s, r.number, r.schema, r.table, r.key, r.before, r.written, r.keyless"
    ' FROM pg_catalog.jsonb_to_recordset(%(rows)s::text::jsonb) AS r(number integer, schema text, "table" text,'
    " key jsonb, before jsonb, written jsonb, keyless boolean))"
    " UPDATE {table} SET checksum = %(checksum)s, details = details || %(details)s WHERE id = %(id)s"
)
_READ = (
    "SELECT id, name, version, environment, checksum, applied_at, applied_by, status::text, notes, error, details"
    " FROM {table} ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class History:
    """Where the history stands; `exists` tells that it has been created."""

    schema: str
    exists: bool

    @property
    def relations(self) -> frozenset[tuple[str, str]]:
        """The tables of the history itself."""
        return frozenset({(self.schema, TABLE), (self.schema, ROWS)})

    def compose(self, text: LiteralString, *, plain: bool = False) -> sql.SQL:
        """Put the qualified names into a statement: {table}, {rows}, {type}, {guard}, {trigger}.

        `plain` is for one that is executed without parameters.
        """
        return _composed(self.schema, text, plain=plain)


@lru_cache(maxsize=128)
def _composed(schema: str, text: LiteralString, *, plain: bool) -> sql.SQL:
    from psycopg import sql

    name = sql.Identifier if plain else identifier
    composed = sql.SQL(text).format(
        table=name(schema, TABLE),
        rows=name(schema, ROWS),
        type=name(schema, TYPE),
        guard=name(schema, GUARD),
        trigger=name(GUARD),
    )
    return sql.SQL(composed.as_string(None))


def locate(connection: Connection) -> History:
    """Find the history through the search path; where there is none, it will be in the current schema."""
    row = connection.execute(
        "SELECT n.nspname, pg_catalog.current_schema() FROM (SELECT pg_catalog.to_regclass(%s) AS oid) t"
        " LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid LEFT JOIN pg_catalog.pg_namespace n"
        " ON n.oid = c.relnamespace",
        [TABLE],
    ).fetchone()
    found, current = (None, None) if row is None else row
    if found is not None:
        return History(found, exists=True)
    if current is None:
        message = explain(
            "there is no place for seed_history",
            expected="a schema in the search path",
            found="none that exists",
            where=f"database {connection.info.dbname}",
        )
        raise SeedError(message, remedy="ALTER ROLE … SET search_path, or create the schema")
    return History(current, exists=False)


def create(connection: Connection, history: History) -> History:
    """Create the history's tables where they are not there yet, all or none."""
    import psycopg

    if history.exists:
        return history
    try:
        with connection.transaction():
            connection.execute(history.compose(_CREATE, plain=True))
    except psycopg.Error as error:
        raise _unusable(
            "created", f"a role that may create tables in schema {history.schema}", connection, error
        ) from error
    return History(history.schema, exists=True)


def read(connection: Connection, history: History) -> tuple[Applied, ...]:
    """Return every row, oldest first; none where there is no table."""
    if not history.exists:
        return ()
    import psycopg

    try:
        rows = connection.execute(history.compose(_READ, plain=True)).fetchall()
    except psycopg.Error as error:
        raise _unusable(
            "read", "the table as pytest-devenv made it, and a role that may read it", connection, error
        ) from error
    return tuple(_applied(*row) for row in rows)


def standing(rows: tuple[Applied, ...]) -> dict[str, Applied]:
    """Return what is applied now: the one row of each name that is Active or Orphaned."""
    return {row.name: row for row in rows if row.status is not Record.INACTIVE}


def begin(connection: Connection, history: History, step: Step, tier: Tier, first: str) -> int:
    """Note, in the seed's own transaction, that it runs, after the statements `first`; return the row's id.

    What was noted of it before is superseded. Until `complete` and `finish` have filled the row, the database refuses
    to commit.
    """
    from psycopg import sql

    seed, parts = step.seed, [first.encode()]
    if step.applied is not None:
        text = "UPDATE {table} SET status = 'Inactive', notes = "
        note = sql.SQL("{} WHERE id = {}").format(f"superseded by version {seed.version}", step.applied.id)
        parts.append((history.compose(text, plain=True) + note).as_bytes(connection))
    text = "INSERT INTO {table} (name, version, environment, checksum, status) VALUES "
    values = sql.SQL("({}, {}, {}, '', 'Active') RETURNING id").format(seed.name, seed.version, tier.value)
    parts.append((history.compose(text, plain=True) + values).as_bytes(connection))
    cursor = connection.execute(b"; ".join(parts))
    while cursor.nextset():
        pass
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def complete(connection: Connection, history: History, history_id: int, duration_ms: float, then: str) -> bool:
    """Let the row be committed, and run the statements `then`; tell whether the row is still there."""
    from psycopg import sql

    text = "UPDATE {table} SET details = pg_catalog.jsonb_build_object('duration_ms', "
    update = history.compose(text, plain=True) + sql.SQL("{}) WHERE id = {}").format(duration_ms, history_id)
    parts = (b"RESET SESSION AUTHORIZATION", b"RESET ROLE", update.as_bytes(connection), then.encode())
    cursor = connection.execute(b"; ".join(parts))
    cursor.nextset()
    cursor.nextset()
    return cursor.rowcount == 1


def finish(
    connection: Connection,
    history: History,
    history_id: int,
    *,
    checksum: str,
    details: Mapping[str, object],
    rows: str,
) -> None:
    """Fill the row of a seed that has run, and keep what it wrote, given as the JSON array of `written.dump`."""
    from psycopg.types.json import Jsonb

    connection.execute(
        history.compose(_FINISH),
        {"id": history_id, "checksum": checksum, "details": Jsonb(details), "rows": rows},
        prepare=True,
    )


def note_failure(
    connection: Connection, history: History, seed: Seed, tier: Tier, *, checksum: str, error: str, duration_ms: float
) -> None:
    """Note that a seed failed, in a transaction of its own: that of the seed was rolled back."""
    from psycopg.types.json import Jsonb

    details = {"duration_ms": duration_ms, "dependencies": list(seed.dependencies), "rows": {}}
    connection.execute(
        history.compose(
            "INSERT INTO {table} (name, version, environment, checksum, status, notes, error, details)"
            " VALUES (%s, %s, %s, %s, 'Inactive', 'failed', %s, %s)"
        ),
        [seed.name, seed.version, tier.value, checksum, error, Jsonb(details)],
    )


def mark(connection: Connection, history: History, ids: list[int], record: Record, notes: str | None) -> None:
    """Give rows another status, and a note that says why."""
    connection.execute(
        history.compose("UPDATE {table} SET status = %s::text::{type}, notes = %s WHERE id = ANY(%s)"),
        [record.value, notes, ids],
    )


def details_of(rows: dict[str, Rows], files: dict[str, str], dependencies: tuple[str, ...]) -> dict[str, Any]:
    """Return what the column `details` holds beside the duration."""
    counts = {
        name: {"inserted": one.inserted, "updated": one.updated, "deleted": one.deleted} for name, one in rows.items()
    }
    return {"rows": counts, "files": files, "dependencies": list(dependencies)}


def _unusable(verb: str, expected: str, connection: Connection, error: psycopg.Error) -> SeedError:
    message = explain(
        f"{TABLE} cannot be {verb}",
        expected=expected,
        found=f"{error.diag.message_primary or type(error).__name__}, as role {connection.info.user}",
        where=f"database {connection.info.dbname} on {connection.info.host}:{connection.info.port}",
    )
    return SeedError(message, remedy=f"connect as the database's owner; see what is there: psql -c '\\d {TABLE}'")


def _applied(*row: Any) -> Applied:  # noqa: ANN401  # a row of the query above
    number, name, version, environment, checksum, applied_at, applied_by, status, notes, error, details = row
    return Applied(
        id=number,
        name=name,
        version=version,
        environment=environment,
        checksum=checksum,
        applied_at=applied_at,
        applied_by=applied_by,
        status=Record(status),
        notes=notes,
        error=error,
        files=details.get("files", {}),
        dependencies=tuple(details.get("dependencies", ())),
        duration_ms=details.get("duration_ms"),
    )
