"""What one run of migrations shares, and what one migration in it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from psycopg import sql

    from pytest_devenv.migrate.dialect import Chunk, Dialect
    from pytest_devenv.migrate.folder import Source
    from pytest_devenv.migrate.model import Direction, Migration

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class Bench(NamedTuple):
    """What every migration of one run shares: the connection, the dialect, the history table, its group, and where.

    `fresh` are the statements that give each the same session, `prepared` the one by which most are noted, where there
    is such a one. `warned` are the SQLSTATEs of what the server warned of while the present one ran.
    """

    connection: Connection
    dialect: Dialect
    table: sql.Composable
    where: str
    fresh: str
    prepared: str | None
    group: int
    warned: list[str | None]


class Work(NamedTuple):
    """One migration of a run, the `number`-th of `run` counted from 0: which way it goes, and what is in its file.

    Its `pieces` are sent as the `messages`, one each: where it runs in a transaction, the first begins it, and the last
    notes the migration and commits. Where not, `note` is the statement that notes it ahead. `meanwhile` is called while
    the server works at it, as long as it returns true.
    """

    bench: Bench
    direction: Direction
    run: tuple[Migration, ...]
    number: int
    source: Source
    transactional: bool
    pieces: tuple[Chunk, ...]
    messages: tuple[bytes, ...]
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
