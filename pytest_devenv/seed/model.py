"""What seeding speaks of: seeds, what a database says was applied, plans and results."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_devenv.settings import Tier

LAYERS = ("base", "development", "test")
LOOK_TIMEOUT_S = 5.0
_NO_FILES: Mapping[str, str] = MappingProxyType({})


class Record(enum.StrEnum):
    """What `seed_history` says of one application of a seed, as its type `seed_status_enum` writes it."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    ORPHANED = "Orphaned"


class State(enum.StrEnum):
    """What a seed's file and a database say of each other.

    `off` is not for this environment, `changed` has the same version but other code, helpers or data than what was
    applied, `outdated` a newer version, `ahead` an older one.
    """

    OFF = "off"
    PENDING = "pending"
    CURRENT = "current"
    CHANGED = "changed"
    OUTDATED = "outdated"
    AHEAD = "ahead"


class Action(enum.StrEnum):
    """Why a seed runs."""

    APPLY = "apply"
    UPGRADE = "upgrade"
    REAPPLY = "re-apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a seed, or the folder, cannot be used. `seed` is its name where it is known."""

    path: Path
    found: str
    seed: str | None = None

    def __str__(self) -> str:
        return f"{self.path.name}: {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """One seed as its file declares it.

    `prefix` orders it within its layer; `tiers` are the environments that get it. `class_name` is None for SQL.
    """

    name: str
    layer: str
    prefix: int
    path: Path
    version: int
    description: str
    tiers: frozenset[Tier]
    dependencies: tuple[str, ...] = ()
    class_name: str | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Layer and prefix as numbers: seeds of one place are of one rank."""
        return LAYERS.index(self.layer), self.prefix

    def __str__(self) -> str:
        return f"{self.name} ({self.layer})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One row of `seed_history`. `files` are the SHA-256 of what made up the seed when it was applied."""

    id: int
    name: str
    version: int
    environment: str
    checksum: str
    applied_at: datetime
    applied_by: str
    status: Record
    notes: str | None = None
    error: str | None = None
    files: Mapping[str, str] = field(default_factory=lambda: _NO_FILES, hash=False)
    dependencies: tuple[str, ...] = ()
    duration_ms: float | None = None

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedStatus:
    """One seed and what the database says of it.

    `changed` names the files that differ from what was applied; `error` is that of the last run, where it failed.
    """

    seed: Seed
    state: State
    applied: Applied | None = None
    changed: tuple[str, ...] = ()
    error: str | None = None

    @property
    def difference(self) -> str:
        """What differs from what was applied: the version, or else the files; empty where nothing does."""
        if self.applied is not None and self.applied.version != self.seed.version:
            return f"version {self.applied.version} is applied, version {self.seed.version} is here"
        return ", ".join(self.changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a folder of seeds and a database say of each other; `orphaned` are applied and have no file here."""

    seeds: tuple[SeedStatus, ...]
    orphaned: tuple[Applied, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether everything for this environment is applied as it stands in the folder, and nothing else is."""
        return not self.orphaned and all(one.state in {State.CURRENT, State.OFF} for one in self.seeds)

    def of(self, name: str) -> SeedStatus | None:
        """Return the status of one seed."""
        return next((one for one in self.seeds if one.seed.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which seeds a run is for, and which of them run again.

    `only` names seeds, which run with what they depend on and is not applied yet. `changed` also runs what differs
    from what was applied, `force` everything, or all of `only`. Up to `jobs` seeds of one rank run at once.
    """

    only: tuple[str, ...] = ()
    changed: bool = False
    force: bool = False
    jobs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a run waits for another that seeds the same database, and for each statement of a seed, in seconds."""

    lock_timeout_s: float = 30.0
    statement_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One seed that is to run; `applied` is what the database holds of it."""

    seed: Seed
    action: Action
    applied: Applied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """One seed that does not run, and why; `reason` says how to run it all the same."""

    seed: Seed
    state: State
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, in order, and what it would leave."""

    steps: tuple[Step, ...]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How many rows of one table were written."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One seed has run; `rows` counts what it wrote, by table."""

    seed: Seed
    action: Action
    took_s: float
    rows: Mapping[str, Rows] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One seed is done: the `index`-th of `total`, counted from 1."""

    done: Done
    index: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did, and what it left."""

    done: tuple[Done, ...]
    took_s: float
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """A seed was taken back: how many rows of which table were deleted, regained their former values, or came back."""

    name: str
    took_s: float
    rows: Mapping[str, Rows] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()
