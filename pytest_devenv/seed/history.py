"""The table `seed_history`: who applied which seed when, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed.model import Applied, Record
from pytest_devenv.seed.names import identifier

if TYPE_CHECKING:
    from typing import LiteralString

    import psycopg
    from psycopg import sql

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
_READ_ONLY = "25006"
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


def _unusable(verb: str, expected: str, connection: Connection, error: psycopg.Error) -> SeedError:
    message = explain(
        f"{TABLE} cannot be {verb}",
        expected=expected,
        found=f"{error.diag.message_primary or type(error).__name__}, as role {connection.info.user}",
        where=f"database {connection.info.dbname} on {connection.info.host}:{connection.info.port}",
    )
    remedy = f"connect as the database's owner; see what is there: psql -c '\\d {TABLE}'"
    if error.sqlstate == _READ_ONLY:
        remedy = "connect to the primary server, as a role that may write"
    return SeedError(message, remedy=remedy)


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
