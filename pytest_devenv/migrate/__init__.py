"""What builds a database: engines that discover, plan and apply migrations.

The names below are loaded at their first use, so that a run pays for the engine that it uses and for no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.errors import ConfigError
from pytest_devenv.settings import MigrationEngine

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.migrate.alembic import AlembicEngine
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
    from pytest_devenv.migrate.repair import Action, Repair, apply_repair, plan_repair
    from pytest_devenv.settings import Database
else:
    _HOMES = {
        "alembic": ("AlembicEngine",),
        "failure": (
            "FolderError",
            "LostRaceError",
            "MissingExtensionError",
            "PoolerError",
            "RunError",
            "StateError",
        ),
        "plain": ("PlainEngine",),
        "repair": ("Action", "Repair", "apply_repair", "plan_repair"),
    }

    def __getattr__(name: str) -> object:
        if name not in __all__:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        import importlib

        home = next((home for home, names in _HOMES.items() if name in names), "model")
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)


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
    "apply_repair",
    "engine_for",
    "plan_repair",
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
        from pytest_devenv.migrate.alembic import TABLE, AlembicEngine

        return AlembicEngine(folder=folder, table=migrations.table or TABLE)
    from pytest_devenv.migrate.plain import PlainEngine

    if migrations.engine is MigrationEngine.BUN:
        from pytest_devenv.migrate.bun import BUN as dialect  # noqa: N811  # one dialect, by one name
    else:
        from pytest_devenv.migrate.sqlx import SQLX as dialect  # noqa: N811
    return PlainEngine(
        folder=folder, dialect=dialect, table=migrations.table or dialect.table, strict=migrations.strict
    )
