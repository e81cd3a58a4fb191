"""The next files, read and made ready while the server works at the one before."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate.folder import Source, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
_FILES = 32
_FEW = 4
_LETTERS = 1_000_000


class _Made(NamedTuple, Generic[T]):
    value: T
    letters: int


class Ahead(Generic[T]):
    """Files in the order in which they are run, each read once, at the latest when it is taken.

    `make` makes of a file, and of its number counted from 0, what is taken. Those that wait to be taken are few, and
    only the last of them may be large. They are read many at a time, once few are left: what reads them is then in the
    processor's caches, which the server that works beside it would else have emptied each time.
    """

    def __init__(self, files: Sequence[str], make: Callable[[int, Source], T]) -> None:
        self._files = iter(enumerate(files))
        self._make = make
        self._waiting: deque[_Made[T] | MigrationError] = deque()
        self._letters = 0
        self._resting = False

    def look(self) -> bool:
        """Read one more file, and tell whether another one may be; what is wrong with it is told when it is taken."""
        if len(self._waiting) == _FILES or self._letters > _LETTERS:
            self._resting = True
        if self._resting:
            return False
        number, file = next(self._files, (0, None))
        if file is None:
            return False
        try:
            source = read_source(file)
            made = _Made(self._make(number, source), len(source.text))
        except MigrationError as error:
            self._waiting.append(error)
            return True
        self._letters += made.letters
        self._waiting.append(made)
        return True

    def take(self) -> T:
        """Return what was made of the next file. Raises FolderError where it cannot be used."""
        if not self._waiting and not self.look():
            raise IndexError("all files are taken")
        taken = self._waiting.popleft()
        self._resting = self._resting and len(self._waiting) > _FEW
        if isinstance(taken, MigrationError):
            raise taken
        self._letters -= taken.letters
        return taken.value
