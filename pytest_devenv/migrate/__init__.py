"""What builds a database: engines that discover, plan and apply migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.errors import ConfigError
from pytest_devenv.migrate.alembic import TABLE, AlembicEngine
from pytest_devenv.migrate.bun import BUN
from pytest_devenv.migrate.failure import (
    FolderError,
    LostRaceError,
    MissingExtensionError,
    PoolerError,
    RunError,
    StateError,
)
from pytest_devenv.migrate.model import (
    Applied,
    Direction,
    Edited,
    Engine,
    Migration,
    Plan,
    Progress,
    Renamed,
    Result,
    Status,
    Step,
)
from pytest_devenv.migrate.plain import PlainEngine
from pytest_devenv.migrate.repair import Action, Repair, plan_repair, repair
from pytest_devenv.migrate.sqlx import SQLX
from pytest_devenv.settings import MigrationEngine

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.settings import Database

__all__ = [
    "Action",
    "AlembicEngine",
    "Applied",
    "Direction",
    "Edited",
    "Engine",
    "FolderError",
    "LostRaceError",
    "Migration",
    "MissingExtensionError",
    "PlainEngine",
    "Plan",
    "PoolerError",
    "Progress",
    "Renamed",
    "Repair",
    "Result",
    "RunError",
    "StateError",
    "Status",
    "Step",
    "engine_for",
    "plan_repair",
    "repair",
]


def engine_for(database: Database, root: Path) -> Engine:
    """Return the engine that the settings name for `database`; relative folders start at `root`.

    Raises ConfigError for a database without migrations.
    """
    migrations = database.migrations
    if migrations is None:
        message = f"database {database.name} has no migrations"
        remedy = f'set migrations = {{ engine = "sqlx", path = "migrations/{database.name}" }} in its table'
        raise ConfigError(message, remedy=remedy)
    folder = root / migrations.path
    if migrations.engine is MigrationEngine.ALEMBIC:
        return AlembicEngine(folder=folder, table=migrations.table or TABLE)
    dialect = {MigrationEngine.SQLX: SQLX, MigrationEngine.BUN: BUN}[migrations.engine]
    return PlainEngine(
        folder=folder, dialect=dialect, table=migrations.table or dialect.table, strict=migrations.strict
    )
