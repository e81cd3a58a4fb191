"""The dialect of Bun: https://bun.uptrace.dev/guide/migrations.html, read from uptrace/bun's package migrate.

Files `VERSION_name.tx.up.sql` run in a transaction, `VERSION_name.up.sql` do not, `.down.sql` likewise. Lines
`--bun:split` part a file into messages; blank lines are dropped. Bun keeps no checksum, so an edit cannot be told.
Templates in files (WithTemplateData) are not rendered.
"""

from __future__ import annotations

import re
import time
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import LockedError, explain
from pytest_devenv.migrate.dialect import Chunk, Dialect, FileName
from pytest_devenv.migrate.model import Applied, Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg import sql

    from pytest_devenv.migrate.model import Migration

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_NAME = re.compile(r"(\d{1,14})_([0-9a-z_-]+)\.", re.ASCII)
_DIRECTIVE = "--bun:"
_SPLIT = "--bun:split"
_LOCK_FACTOR = 0x62756E01  # "bun", 1: Bun's own lock is a row, ours is for one of us at a time
_PAUSE_S = 0.2


def parse_name(name: str) -> FileName | None:
    """Read `VERSION_name.up.sql`, `.down.sql`, `.tx.up.sql` or `.tx.down.sql`; everything else is none of Bun's."""
    if name.endswith(".up.sql"):
        direction = Direction.UP
    elif name.endswith(".down.sql"):
        direction = Direction.DOWN
    else:
        return None
    match = _NAME.match(name)
    if match is None:
        raise ValueError("1 to 14 digits, an underscore, and a name of a-z, 0-9, _ and -")
    return FileName(match[1], match[2], direction)


def is_transactional(name: str, _text: str) -> bool:
    """Whether the file runs in a transaction, which its name alone says."""
    return name.endswith((".tx.up.sql", ".tx.down.sql"))


def chunks(text: str) -> tuple[Chunk, ...]:
    """Part the file as Bun does. Raises ValueError for a directive that Bun does not know."""
    found: list[Chunk] = []
    lines: list[tuple[int, str]] = []
    for number, line in enumerate([*text.split("\n"), _SPLIT], start=1):
        content = line.removesuffix("\r")
        if content.startswith(_DIRECTIVE):
            if content != _SPLIT:
                message = f"{_SPLIT} in line {number}, and not {content}"
                raise ValueError(message)
            if lines:
                found.append(Chunk("".join(f"{one}\n" for _, one in lines), tuple(place for place, _ in lines)))
            lines = []
        elif content.strip():
            lines.append((number, content))
    return tuple(found)


def lock_key(database: str) -> int:
    """Return the key of the advisory lock that is held while Bun's own lock is sought."""
    return _LOCK_FACTOR * zlib.crc32(database.encode())


def new_files(version: str, name: str, transaction: bool, reversible: bool) -> tuple[tuple[str, str], ...]:  # noqa: FBT001
    """Return names and contents of a new migration's files, as Bun's own generator names them."""
    stem = f"{version}_{name.replace(' ', '_')}" + (".tx" if transaction else "")
    up = (f"{stem}.up.sql", "SET statement_timeout = 0;\n")
    return (up, (f"{stem}.down.sql", "SET statement_timeout = 0;\n")) if reversible else (up,)


@contextmanager
def peer_lock(connection: Connection, table: str, timeout_s: float, where: str) -> Iterator[None]:
    """Hold the row by which Bun locks, in a transaction on a connection of its own that is never committed.

    A Bun that starts meanwhile waits for this transaction, and is free to go on when we end, in whatever way.
    Raises LockedError where a row of Bun's stays for `timeout_s` seconds: Bun leaves it behind when it is killed.
    """
    import psycopg

    connection.execute(
        'CREATE TABLE IF NOT EXISTS bun_migration_locks ("id" BIGSERIAL NOT NULL, "table_name" VARCHAR,'
        ' PRIMARY KEY ("id"), UNIQUE ("table_name"))'
    )
    deadline = time.monotonic() + timeout_s
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", [f"{max(1, round(timeout_s * 1e3))}"])
    while True:
        connection.execute("BEGIN")
        try:
            connection.execute("INSERT INTO bun_migration_locks (table_name) VALUES (%s)", [table])
        except (psycopg.errors.UniqueViolation, psycopg.errors.LockNotAvailable) as error:
            connection.execute("ROLLBACK")
            if time.monotonic() >= deadline:
                message = explain(
                    "Bun's migrator is at work, or was killed at work",
                    expected=f"no row for {table} in bun_migration_locks within {timeout_s:g} s",
                    found="one",
                    where=where,
                )
                remedy = "wait for it to end; if none runs, `bun migrate unlock`: delete the row"
                raise LockedError(message, remedy=remedy) from error
            time.sleep(_PAUSE_S)
        else:
            break
    try:
        yield
    finally:
        if not (connection.closed or connection.broken):
            connection.execute("ROLLBACK")


class BunHistory:
    """The table `bun_migrations`.

    Bun notes a migration before it runs and has no word for one that failed half way. Ours has the negative of its
    group: Bun counts groups from 1, sees it as applied, as it would its own, and never rolls it back.
    """

    keeps_checksums = False

    def read(self, connection: Connection, table: sql.Composable) -> tuple[Applied, ...]:
        """Return every row by name."""
        from psycopg import sql

        query = sql.SQL('SELECT name, group_id, migrated_at FROM {table} ORDER BY name COLLATE "C", id')
        return tuple(
            Applied(version=name, description="", applied_at=migrated_at, dirty=group < 1, group=group)
            for name, group, migrated_at in connection.execute(query.format(table=table))
        )

    def create(self, table: sql.Composable) -> sql.Composed:
        """Return the statement that Bun makes of its model."""
        from psycopg import sql

        return sql.SQL(
            'CREATE TABLE IF NOT EXISTS {table} ("id" BIGSERIAL NOT NULL, "name" VARCHAR, "group_id" BIGINT,'
            ' "migrated_at" TIMESTAMPTZ NOT NULL DEFAULT current_timestamp, PRIMARY KEY ("id"))'
        ).format(table=table)

    def insert(
        self,
        table: sql.Composable,
        migration: Migration,
        *,
        checksum: str,  # noqa: ARG002  # Bun keeps none
        group: int,
        dirty: bool,
    ) -> sql.Composed:
        """Note the migration in its group."""
        from psycopg import sql

        return sql.SQL("INSERT INTO {table} (name, group_id) VALUES ({name}, {group})").format(
            table=table, name=sql.Literal(migration.version), group=sql.Literal(-group if dirty else group)
        )

    def prepare(self, table: sql.Composable) -> None:
        """Return nothing: a row of Bun's is soon made."""

    def again(self, migration: Migration, *, checksum: str) -> str:
        """Raise ValueError: nothing was prepared."""
        message = f"nothing was prepared to note {migration} with: {checksum}"
        raise ValueError(message)

    def finish(self, table: sql.Composable, version: str) -> sql.Composed:
        """Say that the migration succeeded."""
        from psycopg import sql

        return sql.SQL("UPDATE {table} SET group_id = abs(group_id) WHERE name = {name}").format(
            table=table, name=sql.Literal(version)
        )

    def soil(self, table: sql.Composable, version: str) -> sql.Composed:
        """Say that the migration is half way."""
        from psycopg import sql

        return sql.SQL("UPDATE {table} SET group_id = -abs(group_id) WHERE name = {name}").format(
            table=table, name=sql.Literal(version)
        )

    def recheck(self, table: sql.Composable, version: str, checksum: str) -> sql.Composed:
        """Raise ValueError: there is no checksum to take over."""
        message = f"Bun keeps no checksum in {table!r} for {version}: {checksum}"
        raise ValueError(message)

    def delete(self, table: sql.Composable, version: str) -> sql.Composed:
        """Delete the row."""
        from psycopg import sql

        return sql.SQL("DELETE FROM {table} WHERE name = {name}").format(table=table, name=sql.Literal(version))


BUN = Dialect(
    name="bun",
    table="bun_migrations",
    recursive=True,
    parse_name=parse_name,
    order=str,
    is_transactional=is_transactional,
    chunks=chunks,
    lock_key=lock_key,
    history=BunHistory(),
    new_files=new_files,
    peer_lock=peer_lock,
)
