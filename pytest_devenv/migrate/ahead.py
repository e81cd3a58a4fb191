"""The next file, read and made ready while the server works at the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate.folder import Source, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    value: T


class Ahead(Generic[T]):
    """Files in the order in which they are run, each read once, at the latest when it is taken.

    `make` makes of a file, and of its number counted from 0, what is taken.
    """

    def __init__(self, paths: Sequence[Path], make: Callable[[int, Source], T]) -> None:
        self._paths = iter(enumerate(paths))
        self._make = make
        self._next: _Made[T] | MigrationError | None = None

    def look(self) -> None:
        """Read the next file, if it is not read yet; what is wrong with it is told when it is taken."""
        if self._next is not None:
            return
        number, path = next(self._paths, (0, None))
        if path is None:
            return
        try:
            self._next = _Made(self._make(number, read_source(path)))
        except MigrationError as error:
            self._next = error

    def take(self) -> T:
        """Return what was made of the next file. Raises FolderError where it cannot be used."""
        self.look()
        taken, self._next = self._next, None
        if isinstance(taken, _Made):
            return taken.value
        raise taken or IndexError("all files are taken")
