"""What fills a database: seeds, applied once each, tracked by row, and taken back again."""

from __future__ import annotations

from pytest_devenv.seed.batch import apply
from pytest_devenv.seed.catalog import Seeds, load
from pytest_devenv.seed.choice import plan
from pytest_devenv.seed.compare import status
from pytest_devenv.seed.context import SeedContext
from pytest_devenv.seed.create import Created, create_seed
from pytest_devenv.seed.failure import (
    DependedOnError,
    SeedFolderError,
    SeedingLockedError,
    SeedRunError,
    UntrackedError,
)
from pytest_devenv.seed.findings import Fault, Finding, check
from pytest_devenv.seed.model import (
    Action,
    Applied,
    Done,
    Limits,
    Plan,
    Problem,
    Progress,
    Record,
    Result,
    RolledBack,
    Rows,
    Seed,
    SeedStatus,
    Selection,
    Skipped,
    State,
    Status,
    Step,
)
from pytest_devenv.seed.orphans import Cleaned, clean, find_orphans
from pytest_devenv.seed.registry import Synced, sync_registry
from pytest_devenv.seed.rollback import roll_back
from pytest_devenv.seed.watcher import watch

__all__ = [
    "Action",
    "Applied",
    "Cleaned",
    "Created",
    "DependedOnError",
    "Done",
    "Fault",
    "Finding",
    "Limits",
    "Plan",
    "Problem",
    "Progress",
    "Record",
    "Result",
    "RolledBack",
    "Rows",
    "Seed",
    "SeedContext",
    "SeedFolderError",
    "SeedRunError",
    "SeedStatus",
    "SeedingLockedError",
    "Seeds",
    "Selection",
    "Skipped",
    "State",
    "Status",
    "Step",
    "Synced",
    "UntrackedError",
    "apply",
    "check",
    "clean",
    "create_seed",
    "find_orphans",
    "load",
    "plan",
    "roll_back",
    "status",
    "sync_registry",
    "watch",
]
