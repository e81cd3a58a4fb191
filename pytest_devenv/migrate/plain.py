"""The engine for plain SQL files, in whichever dialect."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import explain
from pytest_devenv.migrate import compare as rules
from pytest_devenv.migrate.ahead import Ahead
from pytest_devenv.migrate.check import check_source
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.folder import Listing, list_folder, read_source
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.model import (
    LOCK_TIMEOUT_S,
    LOOK_TIMEOUT_S,
    Direction,
    Migration,
    Plan,
    Progress,
    Result,
    Status,
    Step,
)
from pytest_devenv.migrate.permission import Permission
from pytest_devenv.migrate.run import listening, prepare, run
from pytest_devenv.migrate.session import connected, fresh_settings, locate, migrating
from pytest_devenv.migrate.work import Bench
from pytest_devenv.migrate.write import write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Consent
    from pytest_devenv.migrate.dialect import Dialect
    from pytest_devenv.migrate.folder import Source
    from pytest_devenv.migrate.work import Work
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainEngine:
    """Plain SQL files of one dialect in `folder`, noted in `table`. `strict` refuses what is otherwise warned of."""

    folder: Path
    dialect: Dialect
    table: str
    strict: bool = False

    @property
    def name(self) -> str:
        """The dialect's name."""
        return self.dialect.name

    def discover(self) -> tuple[Migration, ...]:
        """Read the names in the folder."""
        return list_folder(self.folder, self.dialect).migrations

    def status(self, address: DatabaseAddress, *, deadline_s: float = LOOK_TIMEOUT_S) -> Status:
        """Compare folder and database."""
        with connected(address, deadline_s=deadline_s) as connection:
            return self.status_on(connection)

    def status_on(self, connection: Connection) -> Status:
        """Do the same on a connection that is there already."""
        return self._look(connection, list_folder(self.folder, self.dialect))

    def plan(self, address: DatabaseAddress, to: str | None = None) -> Plan:
        """Say what `apply` would do."""
        listing = list_folder(self.folder, self.dialect)
        with connected(address, deadline_s=LOOK_TIMEOUT_S) as connection:
            status = self._look(connection, listing)
        warnings = rules.refuse(status, where=str(address), strict=self.strict)
        pending = rules.upto(status.pending, listing.migrations, to)
        return Plan(steps=tuple(self._step(one, Direction.UP) for one in pending), warnings=warnings)

    def apply(
        self,
        address: DatabaseAddress,
        *,
        tier: Tier,
        to: str | None = None,
        consent: Consent | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Apply what is pending; where nothing is, nothing is asked and nothing written."""
        began = time.monotonic()
        permission = Permission(address, tier, consent)
        permission.ask()
        listing = list_folder(self.folder, self.dialect)
        with migrating(address, deadline_s=LOOK_TIMEOUT_S) as connection:
            if listing.migrations:
                permission.mark(connection)
            with held(connection, self._key(address), timeout_s=lock_timeout_s, where=str(address)):
                status = self._look(connection, listing)
                warnings = list(rules.refuse(status, where=str(address), strict=self.strict))
                pending = rules.upto(status.pending, listing.migrations, to)
                if pending:
                    permission.require(connection)
                    with self._without_peer(address, lock_timeout_s):
                        if self.dialect.peer_lock is not None:
                            status = self._look(connection, listing)
                            pending = rules.upto(status.pending, listing.migrations, to)
                        bench = self._prepare(connection, address, status)
                        warnings += self._run(bench, pending, Direction.UP, on_progress)
        return Result(
            direction=Direction.UP,
            migrations=pending,
            took_s=time.monotonic() - began,
            warnings=tuple(warnings),
        )

    def plan_roll_back(self, address: DatabaseAddress, *, count: int = 1, to: str | None = None) -> Plan:
        """Say what `roll_back` would do."""
        listing = list_folder(self.folder, self.dialect)
        with connected(address, deadline_s=LOOK_TIMEOUT_S) as connection:
            status = self._look(connection, listing)
        warnings = rules.refuse(status, where=str(address), strict=False)
        chosen = rules.after(status, listing.migrations, count=count, to=to)
        return Plan(steps=tuple(self._step(one, Direction.DOWN) for one in chosen), warnings=warnings)

    def roll_back(
        self,
        address: DatabaseAddress,
        *,
        tier: Tier,
        count: int = 1,
        to: str | None = None,
        consent: Consent | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Take migrations back, newest first; each file is looked at before the first one runs."""
        began = time.monotonic()
        permission = Permission(address, tier, consent)
        permission.ask()
        listing = list_folder(self.folder, self.dialect)
        with (
            migrating(address, deadline_s=LOOK_TIMEOUT_S) as connection,
            held(connection, self._key(address), timeout_s=lock_timeout_s, where=str(address)),
        ):
            status = self._look(connection, listing)
            warnings = list(rules.refuse(status, where=str(address), strict=False))
            chosen = rules.after(status, listing.migrations, count=count, to=to)
            for migration in chosen:
                _way_back(migration)
            if chosen:
                permission.require(connection)
                with self._without_peer(address, lock_timeout_s):
                    bench = self._prepare(connection, address, status)
                    warnings += self._run(bench, chosen, Direction.DOWN, on_progress)
        return Result(
            direction=Direction.DOWN,
            migrations=chosen,
            took_s=time.monotonic() - began,
            warnings=tuple(warnings),
        )

    def create(self, name: str, *, transaction: bool = True) -> tuple[Path, ...]:
        """Write the files of a new migration."""
        return write_files(self.folder, self.dialect, name, transaction=transaction)

    @contextmanager
    def _without_peer(self, address: DatabaseAddress, timeout_s: float) -> Iterator[None]:
        """Hold the tool's own lock, where it has another than ours."""
        if self.dialect.peer_lock is None:
            yield
            return
        with (
            connected(address, deadline_s=LOOK_TIMEOUT_S) as other,
            self.dialect.peer_lock(other, self.table, timeout_s, str(address)),
        ):
            yield

    def _key(self, address: DatabaseAddress) -> int:
        return self.dialect.lock_key(address.database)

    def _look(self, connection: Connection, listing: Listing) -> Status:
        table, there = locate(connection, self.table)
        applied = self.dialect.history.read(connection, table) if there else ()
        checksums: dict[str, str] = {}
        if self.dialect.history.keeps_checksums:
            known = {row.version for row in applied}
            checksums = {
                one.version: read_source(one.file).checksum for one in listing.migrations if one.version in known
            }
        return rules.compare(self.name, listing.migrations, applied, checksums, self.dialect.order, listing.notes)

    def _prepare(self, connection: Connection, address: DatabaseAddress, status: Status) -> Bench:
        from psycopg import sql

        located, there = locate(connection, self.table)
        if not there:
            connection.execute(self.dialect.history.create(located))
        table = sql.SQL(located.as_string(connection))  # composed once, not for every migration
        group = 1 + max((row.group or 0 for row in status.applied), default=0)
        prepared = self.dialect.history.prepare(table)
        if prepared is not None:
            connection.execute(prepared.encode())
        return Bench(connection, self.dialect, table, str(address), fresh_settings(connection), prepared, group, [])

    def _run(
        self,
        bench: Bench,
        migrations: tuple[Migration, ...],
        direction: Direction,
        on_progress: Callable[[Progress], None] | None,
    ) -> list[str]:
        warnings: list[str] = []
        up = direction is Direction.UP

        def made(number: int, source: Source) -> tuple[Work, str | None]:
            unchecked = check_source(source, self.dialect)
            return prepare(bench, direction, migrations, number, source, ahead.look), unchecked

        ahead = Ahead([one.file if up else _way_back(one) for one in migrations], made)
        with listening(bench):
            for number, migration in enumerate(migrations):
                began = time.monotonic()
                work, unchecked = ahead.take()
                warnings += [warning for warning in (unchecked, run(work)) if warning is not None]
                if on_progress is not None:
                    took_s = time.monotonic() - began
                    on_progress(
                        Progress(
                            migration=migration,
                            direction=direction,
                            index=number + 1,
                            total=len(migrations),
                            took_s=took_s,
                        )
                    )
        return warnings

    def _step(self, migration: Migration, direction: Direction) -> Step:
        source = read_source(migration.file if direction is Direction.UP else _way_back(migration))
        transactional = self.dialect.is_transactional(source.name, source.text)
        return Step(migration=migration, direction=direction, sql=source.text, transactional=transactional)


def _way_back(migration: Migration) -> str:
    if migration.back is not None:
        return migration.back
    message = explain(
        f"migration {migration} has no way back",
        expected="a .down.sql file beside it",
        found="none",
        where=migration.file,
    )
    raise FolderError(message, remedy="write it, or undo the migration by a new one")
