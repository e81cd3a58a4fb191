"""What every engine speaks of: migrations, what a database says was applied, plans and results."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Consent
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

LOCK_TIMEOUT_S = 30.0
LOOK_TIMEOUT_S = 5.0
BASE = "base"


class Direction(enum.StrEnum):
    """Whether a migration is applied or taken back."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration as its files stand in the folder. `back` is the file that takes it back, where there is one.

    `parents` are the versions that it builds on, where the engine knows them (Alembic); `label` names its branch.
    A folder of thousands is read in no time, since a path is made of a name only where one is wanted.
    """

    version: str
    description: str
    file: str
    back: str | None = None
    parents: tuple[str, ...] = ()
    label: str | None = None

    @property
    def path(self) -> Path:
        """Where its file is."""
        return Path(self.file)

    @property
    def down(self) -> Path | None:
        """Where the file is that takes it back; None where there is no way back."""
        return None if self.back is None else Path(self.back)

    def __str__(self) -> str:
        return f"{self.version} ({self.description})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One migration as the database's history names it.

    `checksum` is in hexadecimal, None where the engine keeps none; `took_ns` None where it was not noted. `dirty`
    tells that it began outside a transaction and did not end well.
    """

    version: str
    description: str
    applied_at: datetime | None = None
    checksum: str | None = None
    took_ns: int | None = None
    dirty: bool = False
    group: int | None = None

    def __str__(self) -> str:
        return f"{self.version} ({self.description})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A migration whose file is no longer the one that was applied."""

    version: str
    description: str
    path: Path
    applied_checksum: str
    found_checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A migration whose file is now called something else than when it was applied."""

    version: str
    applied_description: str
    found_description: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a folder of migrations and a database say of each other.

    `missing` are applied and have no file here; `late` are those of the pending ones that come before one that is
    applied; `heads` are the newest versions of the folder (several only where the engine has branches). `notes` are
    remarks about the folder that stop nothing.
    """

    engine: str
    applied: tuple[Applied, ...] = ()
    pending: tuple[Migration, ...] = ()
    dirty: tuple[Applied, ...] = ()
    edited: tuple[Edited, ...] = ()
    missing: tuple[Applied, ...] = ()
    late: tuple[Migration, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    heads: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether everything is applied as it stands in the folder, and nothing else is."""
        return not (self.pending or self.dirty or self.edited or self.missing)

    @property
    def current(self) -> str | None:
        """The version of the migration that comes last among the applied ones."""
        return self.applied[-1].version if self.applied else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration that would run, and the SQL that would be sent, as in the file or as the engine makes it."""

    migration: Migration
    direction: Direction
    sql: str
    transactional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, in order. `warnings` are what it would say and not refuse."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()

    @property
    def irreversible(self) -> tuple[Migration, ...]:
        """The migrations of this plan that have no way back."""
        return tuple(step.migration for step in self.steps if step.migration.down is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One migration is done: the `index`-th of `total`, counted from 1."""

    migration: Migration
    direction: Direction
    index: int
    total: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did. `warnings` hold what it could not check, too."""

    direction: Direction
    migrations: tuple[Migration, ...]
    took_s: float
    warnings: tuple[str, ...] = ()


class Engine(Protocol):
    """What builds a database from a folder of migrations.

    Versions are text, as the folder writes them; `to` names the last version that is to be applied, and `"base"`
    (for `roll_back`) that none is. Every call opens its own connection and closes it. Raises MigrationError, its
    subclasses, and GuardError.
    """

    @property
    def name(self) -> str:
        """The engine's name in the settings."""
        ...

    @property
    def folder(self) -> Path:
        """Where the migrations are."""
        ...

    def discover(self) -> tuple[Migration, ...]:
        """Read the folder, in the order in which its migrations are applied; no file is opened that need not be."""
        ...

    def status(self, address: DatabaseAddress, *, deadline_s: float = LOOK_TIMEOUT_S) -> Status:
        """Compare folder and database; changes nothing, and creates no table."""
        ...

    def status_on(self, connection: Connection) -> Status:
        """Do the same on a connection that is there already."""
        ...

    def plan(self, address: DatabaseAddress, to: str | None = None) -> Plan:
        """Say what `apply` would do; changes nothing."""
        ...

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
        """Apply what is pending, under the migrator's lock, after the guard has agreed.

        An empty database is marked as one of `tier`. In production and staging `consent` repeats the database's name.
        """
        ...

    def plan_roll_back(self, address: DatabaseAddress, *, count: int = 1, to: str | None = None) -> Plan:
        """Say what `roll_back` would do; changes nothing."""
        ...

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
        """Take back the last `count` migrations, or all that come after version `to`."""
        ...

    def create(self, name: str, *, transaction: bool = True) -> tuple[Path, ...]:
        """Write the files of a new migration that comes after all others, and return them."""
        ...
