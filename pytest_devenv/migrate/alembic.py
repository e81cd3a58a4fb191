"""The engine for Alembic: the real library, run on a connection that the guard has judged."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.marker import read_identity
from pytest_devenv.errors import MigrationError, explain
from pytest_devenv.migrate.failure import StateError
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.model import (
    BASE,
    LOCK_TIMEOUT_S,
    LOOK_TIMEOUT_S,
    Applied,
    Direction,
    Migration,
    Plan,
    Progress,
    Result,
    Status,
    Step,
)
from pytest_devenv.migrate.permission import Permission
from pytest_devenv.migrate.revisions import read_line
from pytest_devenv.migrate.session import connected, locate, migrating
from pytest_devenv.migrate.sqlx import lock_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Consent
    from pytest_devenv.migrate.alembic_env import Environment, Way
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

TABLE = "alembic_version"
_HEADS = ("head", "heads")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlembicEngine:
    """Alembic's revisions in `folder`, which holds alembic.ini or env.py; `table` is its version table.

    Alembic keeps no checksum and no time, so an edited revision cannot be told. A version is a revision's id; `to` may
    also be what Alembic understands: a part of an id, `heads`, `branch@head`, `+1`, `-1`, `base`.
    """

    folder: Path
    table: str = TABLE

    @property
    def name(self) -> str:
        """The engine's name in the settings."""
        return "alembic"

    def discover(self) -> tuple[Migration, ...]:
        """Load the revisions, parents before children."""
        return self._environment().migrations()

    def status(self, address: DatabaseAddress, *, deadline_s: float = LOOK_TIMEOUT_S) -> Status:
        """Compare revisions and database; without Alembic, where the revisions can be read without it."""
        with connected(address, deadline_s=deadline_s) as connection:
            return self.status_on(connection)

    def status_on(self, connection: Connection) -> Status:
        """Do the same on a connection that is there already."""
        line = read_line(self.folder)
        environment = self._environment() if line is None else None
        current = self._current(connection)
        if environment is not None:
            return self._status(environment, current)
        return self._status_of_line(line or (), current)

    def current(self, address: DatabaseAddress) -> tuple[str, ...]:
        """Return the revisions at which the database is: one for each branch, none for an empty one."""
        with connected(address, deadline_s=LOOK_TIMEOUT_S) as connection:
            return self._current(connection)

    def history(self, *, verbose: bool = False) -> tuple[str, ...]:
        """Return what `alembic history` prints, newest first."""
        return self._environment().history(verbose=verbose)

    def plan(self, address: DatabaseAddress, to: str | None = None) -> Plan:
        """Say what `apply` would do, with the SQL that Alembic makes offline."""
        environment = self._environment()
        current = self.current(address)
        status = self._status(environment, current)
        self._refuse(status, str(address), to)
        return self._offline(environment, "upgrade", to or "heads", current)

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
        """Upgrade to `to`, or to the only head; where there is nothing to do, nothing is asked and nothing written."""
        permission = Permission(address, tier, consent)
        return self._run(permission, "upgrade", lambda *_: to or "heads", lock_timeout_s, on_progress, target=to)

    def plan_roll_back(self, address: DatabaseAddress, *, count: int = 1, to: str | None = None) -> Plan:
        """Say what `roll_back` would do, with the SQL that Alembic makes offline."""
        environment = self._environment()
        current = self.current(address)
        status = self._status(environment, current)
        self._refuse(status, str(address), BASE)
        return self._offline(environment, "downgrade", _lower(status, current, count, to, str(address)), current)

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
        """Downgrade by `count` revisions, to revision `to`, or to `base`."""
        permission = Permission(address, tier, consent)

        def lower(status: Status, current: tuple[str, ...]) -> str:
            return _lower(status, current, count, to, str(address))

        return self._run(permission, "downgrade", lower, lock_timeout_s, on_progress, target=BASE)

    def stamp(
        self,
        address: DatabaseAddress,
        revision: str,
        *,
        tier: Tier,
        consent: Consent | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> Result:
        """Note the database as being at `revision` without running anything."""
        permission = Permission(address, tier, consent)
        return self._run(permission, "stamp", lambda *_: revision, lock_timeout_s, None, target=BASE)

    def resolve(self, revision: str) -> tuple[str, ...]:
        """Return the revisions that Alembic understands by `revision`, none for `base`. Raises FolderError."""
        return self._environment().resolve(revision)

    def create(self, name: str, *, transaction: bool = True) -> tuple[Path, ...]:
        """Write a new revision after the only head, by the folder's own template."""
        if not transaction:
            message = explain(
                "Alembic decides within a revision what runs outside a transaction",
                expected="a revision that runs in a transaction",
                found="one that does not",
                where=str(self.folder),
            )
            raise MigrationError(message, remedy="create it, and use op.get_context().autocommit_block() in it")
        return (self._environment().create(name),)

    def _environment(self) -> Environment:
        if importlib.util.find_spec("alembic") is None:
            message = explain(
                "Alembic is not installed",
                expected="the package alembic, for the migrations of this database",
                found="none in this Python",
                where=str(self.folder),
            )
            raise MigrationError(message, remedy="pip install 'pytest-devenv[alembic]'")
        from pytest_devenv.migrate.alembic_env import open_environment

        return open_environment(self.folder)

    def _current(self, connection: Connection) -> tuple[str, ...]:
        from psycopg import sql

        table, there = locate(connection, self.table)
        if not there:
            return ()
        query = sql.SQL("SELECT version_num FROM {table} ORDER BY 1").format(table=table)
        return tuple(row[0] for row in connection.execute(query))

    def _status(self, environment: Environment, current: tuple[str, ...]) -> Status:
        migrations = environment.migrations()
        known = {migration.version for migration in migrations}
        applied = environment.ancestors(tuple(version for version in current if version in known))
        return self._compare(migrations, applied, current, environment.heads())

    def _status_of_line(self, line: tuple[Migration, ...], current: tuple[str, ...]) -> Status:
        versions = [migration.version for migration in line]
        reached = max((versions.index(version) + 1 for version in current if version in versions), default=0)
        return self._compare(line, frozenset(versions[:reached]), current, tuple(versions[-1:]))

    def _compare(
        self,
        migrations: tuple[Migration, ...],
        applied: frozenset[str],
        current: tuple[str, ...],
        heads: tuple[str, ...],
    ) -> Status:
        known = {migration.version for migration in migrations}
        notes = (f"there are {len(heads)} heads: {', '.join(heads)}",) if len(heads) > 1 else ()
        return Status(
            engine=self.name,
            applied=tuple(
                Applied(version=one.version, description=one.description)
                for one in migrations
                if one.version in applied
            ),
            pending=tuple(one for one in migrations if one.version not in applied),
            missing=tuple(Applied(version=one, description="?") for one in current if one not in known),
            heads=heads,
            notes=notes,
        )

    def _refuse(self, status: Status, where: str, to: str | None) -> None:
        if status.missing:
            message = explain(
                f"the database is at revision {status.missing[0].version}, which is not here",
                expected="a revision file for every revision of the database",
                found=f"none for {', '.join(row.version for row in status.missing)}",
                where=f"{self.folder}, and {where}",
            )
            raise StateError(message, status=status, remedy="take the branch of the code that holds it")
        if to in {None, "head"} and len(status.heads) > 1:
            message = explain(
                "Alembic's history has several heads",
                expected="one head, or a target",
                found=f"{len(status.heads)} heads: {', '.join(status.heads)}",
                where=str(self.folder),
            )
            remedy = f"cd {self.folder} && alembic merge heads -m merge; or apply all branches: --to heads"
            raise StateError(message, status=status, remedy=remedy)

    def _offline(self, environment: Environment, way: Way, target: str, current: tuple[str, ...]) -> Plan:
        direction = Direction.UP if way == "upgrade" else Direction.DOWN
        pieces = environment.offline(way, target, current)
        return Plan(
            steps=tuple(
                Step(migration=migration, direction=direction, sql=text, transactional=True)
                for migration, text in pieces
            )
        )

    def _run(
        self,
        permission: Permission,
        way: Way,
        target_of: Callable[[Status, tuple[str, ...]], str],
        lock_timeout_s: float,
        on_progress: Callable[[Progress], None] | None,
        *,
        target: str | None,
    ) -> Result:
        began = time.monotonic()
        permission.ask()
        environment = self._environment()
        address = permission.address
        done: tuple[Migration, ...] = ()
        with migrating(address, deadline_s=LOOK_TIMEOUT_S) as connection:
            if way == "upgrade" and environment.migrations():
                permission.mark(connection)
            with held(connection, lock_key(address.database), timeout_s=lock_timeout_s, where=str(address)):
                current = self._current(connection)
                status = self._status(environment, current)
                self._refuse(status, str(address), target)
                revision = target_of(status, current)
                if way == "stamp" or environment.steps(way, revision, current):
                    permission.require(connection)
                    done = environment.online(way, revision, address, read_identity(connection), on_progress)
        return Result(
            direction=Direction.DOWN if way == "downgrade" else Direction.UP,
            migrations=done,
            took_s=time.monotonic() - began,
            warnings=status.notes,
        )


def _lower(status: Status, current: tuple[str, ...], count: int, to: str | None, where: str) -> str:
    """Return Alembic's word for what is to be left. Raises StateError where a count could mean several branches."""
    if to is not None:
        return to
    if count >= len(status.applied):
        return BASE
    if len(current) > 1:
        below = next((row.version for row in reversed(status.applied) if row.version not in current), BASE)
        message = explain(
            "the database is at several heads, and a count does not say which of them is meant",
            expected="one head, or a revision to go back to",
            found=f"{len(current)} heads: {', '.join(current)}",
            where=where,
        )
        remedy = f"take all of them back: pytest-devenv db rollback --to {below}"
        raise StateError(message, status=status, remedy=remedy)
    return f"-{count}"
