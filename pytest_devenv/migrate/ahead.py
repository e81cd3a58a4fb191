"""The next file, read and checked while the server works at the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate.check import check_source
from pytest_devenv.migrate.folder import Source, read_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_devenv.migrate.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be run, and what could not be checked of it."""

    source: Source
    note: str | None


class Ahead:
    """Files in the order in which they are run, each read once, at the latest when it is taken."""

    def __init__(self, paths: Sequence[Path], dialect: Dialect) -> None:
        self._paths = iter(paths)
        self._dialect = dialect
        self._next: Checked | MigrationError | None = None

    def look(self) -> None:
        """Read the next file, if it is not read yet; what is wrong with it is told when it is taken."""
        if self._next is not None:
            return
        path = next(self._paths, None)
        if path is None:
            return
        try:
            source = read_source(path)
            self._next = Checked(source, check_source(source, self._dialect))
        except MigrationError as error:
            self._next = error

    def take(self) -> Checked:
        """Return the next file. Raises FolderError where it cannot be used."""
        self.look()
        taken, self._next = self._next, None
        if isinstance(taken, Checked):
            return taken
        raise taken or IndexError("all files are taken")
