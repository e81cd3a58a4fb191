"""What differs between tools that keep migrations as plain SQL: file names, transactions, history and lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import psycopg
    from psycopg import sql

    from pytest_devenv.migrate.model import Applied, Direction, Migration

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


PREPARED = "pytest_devenv_note"
"""The name of the statement that a history prepares in the session of a run."""


class FileName(NamedTuple):
    """What the name of a migration's file says."""

    version: str
    description: str
    direction: Direction


class Chunk(NamedTuple):
    """A piece of a file that is sent as one message; `lines` are the file's line numbers of its lines."""

    text: str
    lines: tuple[int, ...] | None = None

    def line(self, number: int) -> int:
        """Return the file's line number of this chunk's line `number`, both counted from 1."""
        return number if self.lines is None else self.lines[min(number, len(self.lines)) - 1]


class History(Protocol):
    """The table in which a dialect notes what was applied. Statements take its composed, qualified name."""

    @property
    def keeps_checksums(self) -> bool:
        """Whether an edited file can be told."""
        ...

    def read(self, connection: Connection, table: sql.Composable) -> tuple[Applied, ...]:
        """Return every row, in the order in which migrations are applied."""
        ...

    def create(self, table: sql.Composable) -> sql.Composed:
        """Return the statement that creates the table where it is not there yet."""
        ...

    def insert(
        self, table: sql.Composable, migration: Migration, *, checksum: str, group: int, dirty: bool
    ) -> sql.Composable:
        """Return the statement that notes a migration, in the message that applies it or ahead of it (`dirty`)."""
        ...

    def prepare(self, table: sql.Composable) -> str | None:
        """Return the statement after which `again` notes a migration, None where there is none of that kind."""
        ...

    def again(self, migration: Migration, *, checksum: str) -> str:
        """Return what notes a migration in the message that applies it, by the statement that `prepare` has made."""
        ...

    def finish(self, table: sql.Composable, version: str) -> sql.Composed:
        """Return the statement that turns a dirty row into an applied one."""
        ...

    def soil(self, table: sql.Composable, version: str) -> sql.Composed:
        """Return the statement that turns an applied row into a dirty one."""
        ...

    def recheck(self, table: sql.Composable, version: str, checksum: str) -> sql.Composed:
        """Return the statement that takes a file's present content as the applied one."""
        ...

    def delete(self, table: sql.Composable, version: str) -> sql.Composed:
        """Return the statement that forgets a migration."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One tool's way. All but the history and `peer_lock` are pure.

    `parse_name` returns None for a file that is none of the tool's and raises ValueError, with what it expected, for
    one that the tool would stumble over. `order` is the sort key of versions. `lock_key` makes the key of the session
    lock from the database's name. `peer_lock` holds the tool's own lock, where that is another one, on a connection of
    its own; it takes the history table's name, the seconds to wait, and where that is.
    """

    name: str
    table: str
    recursive: bool
    parse_name: Callable[[str], FileName | None]
    order: Callable[[str], Any]
    is_transactional: Callable[[str, str], bool]
    chunks: Callable[[str], tuple[Chunk, ...]]
    lock_key: Callable[[str], int]
    history: History
    new_files: Callable[[str, str, bool, bool], tuple[tuple[str, str], ...]]
    peer_lock: Callable[[Connection, str, float, str], AbstractContextManager[None]] | None = None
