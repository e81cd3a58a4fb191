"""What one run of migrations shares, and what one migration in it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """One migration of a run, the `number`-th of `run` counted from 0: which way it goes, and what is in its file.

    `note` is the statement that notes it in the history, with its success where it runs in a transaction, ahead of it
    where not. `meanwhile` is called while the server works at it, as long as it returns true.
    """

    bench: Bench
    direction: Direction
    run: tuple[Migration, ...]
    number: int
    source: Source
    note: str
    meanwhile: Callable[[], bool] | None = None

    @property
    def migration(self) -> Migration:
        """The migration itself."""
        return self.run[self.number]

    @property
    def done(self) -> tuple[Migration, ...]:
        """What the run has done before."""
        return self.run[: self.number]

    @property
    def transactional(self) -> bool:
        """Whether it runs in a transaction."""
        return self.bench.dialect.is_transactional(self.source.path.name, self.source.text)
