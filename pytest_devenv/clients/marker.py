"""The marker as it stands in a database: read, judged by the guard, written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import GuardError
from pytest_devenv.guard import (
    Identity,
    Marker,
    Origin,
    judge_address,
    judge_change,
    judge_marking,
    judge_tier,
)
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

SCHEMA = "pytest_devenv"
_LOCK = 0x64657665_6E760001  # "devenv", 1: one marks at a time
_EMPTY = """
    NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace IN (SELECT oid FROM theirs)
        AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid))
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace IN (SELECT oid FROM theirs)
        AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid))
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_type t WHERE t.typnamespace IN (SELECT oid FROM theirs)
        AND (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'b' AND t.typcategory <> 'A')
        AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
"""
_IDENTITY = f"""
    WITH theirs AS (
        SELECT oid FROM pg_catalog.pg_namespace
        WHERE nspname NOT IN ('information_schema', 'pytest_devenv') AND nspname NOT LIKE 'pg\\_%'),
    extensions AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e')
    SELECT d.datname, d.oid, s.system_identifier, {_EMPTY}
    FROM pg_catalog.pg_database d, pg_catalog.pg_control_system() s
    WHERE d.datname = pg_catalog.current_database()
"""  # noqa: S608  # composed of this module's constants
_NAMES = """
    SELECT s.system_identifier, d.oid FROM pg_catalog.pg_database d, pg_catalog.pg_control_system() s
    WHERE d.datname = pg_catalog.current_database()
"""
_TABLE = """
    CREATE SCHEMA IF NOT EXISTS pytest_devenv;
    CREATE TABLE IF NOT EXISTS pytest_devenv.marker (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        environment text NOT NULL CHECK (environment IN ('development', 'test')),
        system_identifier bigint NOT NULL,
        database_oid oid NOT NULL,
        origin text NOT NULL,
        marked_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
        marked_by text NOT NULL DEFAULT session_user);
    COMMENT ON SCHEMA pytest_devenv IS 'pytest-devenv: says that this database may be changed by tests and tools'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a database holds, for a person who is asked whether it may be changed. `rows` is the server's estimate."""

    tables: int
    rows: int
    size_bytes: int
    largest: tuple[str, ...]


def read_identity(connection: Connection) -> Identity:
    """Ask the server which database this is. Raises GuardError where the role may not know."""
    import psycopg

    try:
        row = connection.execute(_IDENTITY).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise _unknown_server(connection, error) from error
    if row is None:
        message = f"refused: the server does not list its own database\n  where: {_where(connection)}"
        raise GuardError(message)
    database, oid, system_identifier, is_empty = row
    return Identity(
        database=database,
        system_identifier=system_identifier,
        oid=oid,
        is_empty=is_empty,
        where=_where(connection),
    )


def read_marker(connection: Connection) -> Marker | None:
    """Return the marker that this database carries, whether or not it was written for it; None where there is none."""
    import psycopg

    there = connection.execute(
        "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'pytest_devenv' AND c.relname = 'marker'"
    ).fetchone()
    if there is None:
        return None
    try:
        row = connection.execute(
            "SELECT environment, system_identifier, database_oid, origin, marked_at, marked_by"
            " FROM pytest_devenv.marker"
        ).fetchone()
    except psycopg.Error as error:
        message = (
            f"refused: the marker of {connection.info.dbname} cannot be read\n"
            f"  expected: a role that may read {SCHEMA}.marker, as pytest-devenv wrote it\n"
            f"  found: {error.diag.message_primary or type(error).__name__}, as role {connection.info.user}\n"
            f"  where: {_where(connection)}"
        )
        raise GuardError(
            message, remedy=f"connect as the role that owns schema {SCHEMA}, or have it grant USAGE and SELECT"
        ) from error
    if row is None:
        return None
    environment, system_identifier, database_oid, origin, marked_at, marked_by = row
    return Marker(
        tier=Tier(environment),
        system_identifier=system_identifier,
        database_oid=database_oid,
        origin=Origin(origin),
        marked_at=marked_at,
        marked_by=marked_by,
    )


def read_own_marker(connection: Connection) -> Marker | None:
    """Return the marker that this database carries for itself; None where it carries none, or that of another.

    Asks for less than `read_identity`, which looks at all that the database holds. Raises GuardError as that does.
    """
    import psycopg

    marker = read_marker(connection)
    if marker is None:
        return None
    try:
        row = connection.execute(_NAMES).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise _unknown_server(connection, error) from error
    return marker if row == (marker.system_identifier, marker.database_oid) else None


def write_marker(connection: Connection, tier: Tier, origin: Origin, *, confirm: str | None = None) -> Marker:
    """Mark this database as one of environment `tier`, in a transaction of its own; raises GuardError where it may not.

    `Origin.CREATED` is for whoever has just created the database, `Origin.CLONED` for whoever copied it from a marked
    template: the row that came along is rewritten.
    """
    import psycopg

    judge_tier(tier, where=_where(connection))
    try:
        with connection.transaction():
            connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [_LOCK])
            identity, marker = read_identity(connection), read_marker(connection)
            if marker is not None and marker.names(identity) and marker.tier is tier:
                return marker
            judge_marking(identity, marker, tier, origin, confirm=confirm)
            connection.execute(_TABLE)
            connection.execute(
                "INSERT INTO pytest_devenv.marker (environment, system_identifier, database_oid, origin)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT (only_row) DO UPDATE SET environment = excluded.environment,"
                " system_identifier = excluded.system_identifier, database_oid = excluded.database_oid,"
                " origin = excluded.origin, marked_at = excluded.marked_at, marked_by = excluded.marked_by",
                [tier.value, identity.system_identifier, identity.oid, origin.value],
            )
            written = read_marker(connection)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        message = (
            f"cannot mark {connection.info.dbname} as a {tier} database\n"
            f"  expected: a role that may create schema {SCHEMA} in a database that can be written\n"
            f"  found: {error.diag.message_primary}, as role {connection.info.user}\n"
            f"  where: {_where(connection)}"
        )
        raise GuardError(message, remedy="connect as the database's owner, on the primary server") from error
    if written is None:
        message = f"the marker was written and is not there\n  where: {_where(connection)}"
        raise GuardError(message)
    return written


def mark_if_empty(connection: Connection, tier: Tier) -> Marker | None:
    """Mark a database that is about to be filled for the first time; leave every other as it is.

    Returns the marker that the database then carries for itself, None where it carries none.
    """
    judge_tier(tier, where=_where(connection))
    own = read_own_marker(connection)
    return _fill(connection, tier, read_identity(connection)) if own is None else own


def _fill(connection: Connection, tier: Tier, identity: Identity) -> Marker | None:
    marker = read_marker(connection)
    if marker is not None and marker.names(identity):
        return marker
    if not identity.is_empty:
        return None
    try:
        return write_marker(connection, tier, Origin.FILLED)
    except GuardError:
        # Somebody else, such as a service that migrates itself, may have filled it between the two looks.
        if read_identity(connection).is_empty:
            raise
        marker = read_marker(connection)
        return marker if marker is not None and marker.names(identity) else None


def require_changeable(connection: Connection, tier: Tier, address: DatabaseAddress, *, fill: bool = False) -> Marker:
    """Return the marker of a database that may be changed; raises GuardError for any other.

    `fill` is for what builds or fills a database: an empty one is then marked first.
    """
    judge_tier(tier, where=str(address))
    judge_address(address.database, address.endpoint.host, where=str(address))
    own = read_own_marker(connection)
    if own is not None and own.tier.changeable:
        return own
    identity = read_identity(connection)
    marker = _fill(connection, tier, identity) if fill else None
    return judge_change(identity, read_marker(connection) if marker is None else marker, tier)


def adopt(connection: Connection, tier: Tier, *, confirm: str | None) -> Marker:
    """Mark a database that already holds data; `confirm` is its name, repeated by a person. Raises GuardError."""
    return write_marker(connection, tier, Origin.ADOPTED, confirm=confirm)


def read_contents(connection: Connection) -> Contents:
    """Look at what a database holds, to show it before it is adopted or destroyed."""
    rows = connection.execute(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), greatest(c.reltuples, 0)::bigint"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'"
        " AND n.nspname NOT IN ('information_schema', 'pytest_devenv')"
        " ORDER BY pg_catalog.pg_total_relation_size(c.oid) DESC, 1"
    ).fetchall()
    size = connection.execute("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").fetchone()
    return Contents(
        tables=len(rows),
        rows=sum(row[1] for row in rows),
        size_bytes=0 if size is None else size[0],
        largest=tuple(row[0] for row in rows[:5]),
    )


def _unknown_server(connection: Connection, error: psycopg.Error) -> GuardError:
    role = connection.info.user
    message = (
        f"refused: cannot tell which server {connection.info.dbname} is on\n"
        f"  expected: a role that may call pg_control_system()\n"
        f"  found: {error.diag.message_primary or 'permission denied'}, as role {role}\n"
        f"  where: {_where(connection)}"
    )
    grant = f'GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO "{role.replace(chr(34), chr(34) * 2)}"'
    return GuardError(message, remedy=f"as a superuser, in this database: {grant};")


def _where(connection: Connection) -> str:
    info = connection.info
    host = f"[{info.host}]" if ":" in info.host else info.host
    return f"database {info.dbname} on {host}:{info.port} as {info.user}"
