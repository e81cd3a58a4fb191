"""The dialect of sqlx 0.8 and 0.9: https://docs.rs/sqlx/latest/sqlx/migrate/."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.migrate.dialect import PREPARED, Chunk, Dialect, FileName
from pytest_devenv.migrate.model import Applied, Direction

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from pytest_devenv.migrate.model import Migration

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

NO_TRANSACTION = "-- no-transaction"
_LOCK_FACTOR = 0x3D32AD9E
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def parse_name(name: str) -> FileName | None:
    """Read `VERSION_description.sql`, `.up.sql` or `.down.sql`; the version is a 64-bit integer."""
    prefix, separator, rest = name.partition("_")
    if not separator or not rest.endswith(".sql"):
        return None
    digits = prefix[1:] if prefix[:1] in {"+", "-"} else prefix
    if not (digits.isascii() and digits.isdigit()) or not _SMALLEST <= int(prefix) <= _LARGEST:
        raise ValueError("a 64-bit integer before the first underscore, such as 20250301090000_name.up.sql")
    direction, suffix = Direction.UP, ".sql"
    if rest.endswith(".up.sql"):
        suffix = ".up.sql"
    elif rest.endswith(".down.sql"):
        direction, suffix = Direction.DOWN, ".down.sql"
    while rest.endswith(suffix):
        rest = rest.removesuffix(suffix)
    return FileName(str(int(prefix)), rest.replace("_", " "), direction)


def is_transactional(_name: str, text: str) -> bool:
    """Whether the file runs in a transaction: all do but those that begin with `-- no-transaction`."""
    return not text.startswith(NO_TRANSACTION)


def chunks(text: str) -> tuple[Chunk, ...]:
    """Return the whole file: sqlx sends it as one message."""
    return (Chunk(text),)


def lock_key(database: str) -> int:
    """Return the key of the advisory lock that sqlx's `Migrator` takes."""
    return _LOCK_FACTOR * zlib.crc32(database.encode())


def new_files(version: str, name: str, transaction: bool, reversible: bool) -> tuple[tuple[str, str], ...]:  # noqa: FBT001
    """Return names and contents of a new migration's files."""
    words = name.replace(" ", "_")
    head = "" if transaction else f"{NO_TRANSACTION}\n"
    if not reversible:
        return ((f"{version}_{words}.sql", f"{head}-- Add migration script here\n"),)
    return (
        (f"{version}_{words}.up.sql", f"{head}-- Add up migration script here\n"),
        (f"{version}_{words}.down.sql", f"{head}-- Add down migration script here\n"),
    )


class SqlxHistory:
    """The table `_sqlx_migrations`."""

    keeps_checksums = True

    def read(self, connection: Connection, table: sql.Composable) -> tuple[Applied, ...]:
        """Return every row by version. An execution time of -1 is one that was never noted."""
        from psycopg import sql

        query = sql.SQL(
            "SELECT version, description, installed_on, success, pg_catalog.encode(checksum, 'hex'), execution_time"
            " FROM {table} ORDER BY version"
        )
        return tuple(
            Applied(
                version=str(version),
                description=description,
                applied_at=installed_on,
                checksum=checksum,
                took_ns=None if took_ns < 0 else took_ns,
                dirty=not success,
            )
            for version, description, installed_on, success, checksum, took_ns in connection.execute(
                query.format(table=table)
            )
        )

    def create(self, table: sql.Composable) -> sql.Composed:
        """Return sqlx's own statement."""
        from psycopg import sql

        return sql.SQL(
            "CREATE TABLE IF NOT EXISTS {table} ("
            "version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),"
            " success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"
        ).format(table=table)

    def insert(
        self,
        table: sql.Composable,
        migration: Migration,
        *,
        checksum: str,
        group: int,  # noqa: ARG002  # sqlx has no groups
        dirty: bool,
    ) -> sql.SQL:
        """Note the migration, with the time since its message arrived in nanoseconds, or -1 ahead of it."""
        from psycopg import sql

        # Quoted by psycopg and put together by hand: `format` would take half of what each migration costs us.
        name, description = table.as_string(None), _quoted(migration.description)
        took, success = ("-1", "false") if dirty else (_TOOK_NS, "true")
        digits = bytes.fromhex(checksum).hex()
        return sql.SQL(
            f"INSERT INTO {name} {_COLUMNS} VALUES"  # noqa: S608  # both were quoted above
            f" ({int(migration.version)}, {description}, {success}, pg_catalog.decode('{digits}', 'hex'), {took})"
        )

    def prepare(self, table: sql.Composable) -> str:
        """Parse and plan once what would take the server longer than the row itself, for every migration."""
        return (
            f"PREPARE {PREPARED} (bigint, text, text) AS INSERT INTO {table.as_string(None)} {_COLUMNS} VALUES"  # noqa: S608  # it is quoted
            f" ($1, $2, true, pg_catalog.decode($3, 'hex'), {_TOOK_NS})"
        )

    def again(self, migration: Migration, *, checksum: str) -> str:
        """Note the migration, with the time since its message arrived in nanoseconds."""
        digits = bytes.fromhex(checksum).hex()
        return f"EXECUTE {PREPARED} ({int(migration.version)}, {_quoted(migration.description)}, '{digits}')"

    def finish(self, table: sql.Composable, version: str) -> sql.Composed:
        """Say that the migration succeeded."""
        from psycopg import sql

        return sql.SQL(
            "UPDATE {table} SET success = true, execution_time ="
            " CASE WHEN execution_time < 0 THEN {took} ELSE execution_time END WHERE version = {version}"
        ).format(table=table, took=sql.SQL(_SINCE_NOTED_NS), version=sql.Literal(int(version)))

    def soil(self, table: sql.Composable, version: str) -> sql.Composed:
        """Say that the migration is half way."""
        from psycopg import sql

        return sql.SQL("UPDATE {table} SET success = false WHERE version = {version}").format(
            table=table, version=sql.Literal(int(version))
        )

    def recheck(self, table: sql.Composable, version: str, checksum: str) -> sql.Composed:
        """Take over the checksum."""
        from psycopg import sql

        return sql.SQL("UPDATE {table} SET checksum = {checksum} WHERE version = {version}").format(
            table=table, checksum=sql.Literal(bytes.fromhex(checksum)), version=sql.Literal(int(version))
        )

    def delete(self, table: sql.Composable, version: str) -> sql.Composed:
        """Delete the row."""
        from psycopg import sql

        return sql.SQL("DELETE FROM {table} WHERE version = {version}").format(
            table=table, version=sql.Literal(int(version))
        )


def _quoted(words: str) -> str:
    """Return a literal; letters, digits and spaces need nobody to look at them, which would take its time."""
    from psycopg import sql

    plain = words.isascii() and words.replace(" ", "").isalnum()
    return f"'{words}'" if plain else sql.Literal(words).as_string(None)


_TOOK_NS = (
    "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp()) * 1e9)::bigint"
)

_COLUMNS = "(version, description, success, checksum, execution_time)"
_SINCE_NOTED_NS = "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - installed_on) * 1e9)::bigint"

SQLX = Dialect(
    name="sqlx",
    table="_sqlx_migrations",
    recursive=False,
    parse_name=parse_name,
    order=int,
    is_transactional=is_transactional,
    chunks=chunks,
    lock_key=lock_key,
    history=SqlxHistory(),
    new_files=new_files,
)
