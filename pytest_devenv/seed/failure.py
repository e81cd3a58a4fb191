"""How seeds fail: one class for each thing that a caller treats differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError

if TYPE_CHECKING:
    from pytest_devenv.seed.model import Done, Problem, Seed


class SeedFolderError(SeedError):
    """The folder of seeds cannot be used; `problems` holds every reason, each with its file."""

    def __init__(self, message: str, *, problems: tuple[Problem, ...], remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class SeedRunError(SeedError):
    """A seed failed, and nothing of it was kept. `done` are those that this run finished.

    `sqlstate` is the server's error code, `line` the line in the seed's file, counted from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        failed: Seed,
        done: tuple[Done, ...] = (),
        sqlstate: str | None = None,
        line: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.failed = failed
        self.done = done
        self.sqlstate = sqlstate
        self.line = line


class DependedOnError(SeedError):
    """A seed cannot be taken back, since later data or a later seed builds on it; `dependents` names what does."""

    def __init__(self, message: str, *, dependents: tuple[str, ...], remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.dependents = dependents


class SeedingLockedError(SeedError):
    """Another process seeds this database, and went on past the deadline."""


class UntrackedError(SeedError):
    """A seed did what could not be taken back row by row: it changed the schema, or emptied a table at one stroke."""
