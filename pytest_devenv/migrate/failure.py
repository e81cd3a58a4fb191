"""How migrations fail: one class for each thing that a caller treats differently."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.errors import LockedError, MigrationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.migrate.model import Migration, Status

# By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "42501": "connect as a role that may do this, or have it granted",
        "42704": "create what is missing first; roles belong to the server: name them in the `roles` setting",
        "25006": "connect to the primary server, as a role that may write",
        "53100": "free space on the server's disk, then run it again: nothing of this migration was kept",
        "40P01": "stop what waits for the same objects, then run it again",
        "55P03": "stop what holds the lock, then run it again",
    }
)


class FolderError(MigrationError):
    """The folder of migrations, or a file in it, cannot be used."""


class StateError(MigrationError):
    """Folder and database contradict each other, so nothing is run; `status` holds what was compared."""

    def __init__(self, message: str, *, status: Status, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class RunError(MigrationError):
    """A migration failed. `done` are those that this run finished before, `failed` is the one that did not.

    `sqlstate` is the server's error code, `line` and `column` count from 1 in the file.
    """

    def __init__(
        self,
        message: str,
        *,
        failed: Migration,
        done: tuple[Migration, ...] = (),
        sqlstate: str | None = None,
        line: int | None = None,
        column: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.failed = failed
        self.done = done
        self.sqlstate = sqlstate
        self.line = line
        self.column = column


class MissingExtensionError(RunError):
    """A migration needs a PostgreSQL extension that this server does not have: `extension`."""

    def __init__(
        self,
        message: str,
        *,
        extension: str,
        failed: Migration,
        done: tuple[Migration, ...] = (),
        sqlstate: str | None = None,
        line: int | None = None,
        column: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, failed=failed, done=done, sqlstate=sqlstate, line=line, column=column, remedy=remedy)
        self.extension = extension


class LostRaceError(LockedError):
    """Another migrator, one that takes no lock, applied the same migration at the same time."""


class PoolerError(MigrationError):
    """The address leads to a pooler in transaction mode, where a session lock protects nothing."""
