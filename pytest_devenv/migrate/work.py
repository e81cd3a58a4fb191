"""What one run of migrations shares, and what one migration in it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from pytest_devenv.migrate.dialect import Dialect
    from pytest_devenv.migrate.folder import Source
    from pytest_devenv.migrate.model import Direction, Migration

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What every migration of one run shares: the connection, the dialect, the history table, its group, and where."""

    connection: Connection
    dialect: Dialect
    table: sql.Composable
    where: str
    group: int = 1


@dataclass(frozen=True, slots=True)
class Work:
    """One migration of a run: which way it goes, what is in its file, and what the run has done before."""

    bench: Bench
    direction: Direction
    migration: Migration
    source: Source
    done: tuple[Migration, ...]

    @property
    def transactional(self) -> bool:
        """Whether it runs in a transaction."""
        return self.bench.dialect.is_transactional(self.source.path.name, self.source.text)
