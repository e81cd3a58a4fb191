"""One reading for several probes of a run, taken by whichever looks first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.targets.environment import Environment

T = TypeVar("T")


class Shared(Generic[T]):
    """What `read` found, handed to each reader once: one that asks a second time looks again, and gets a new reading.

    What `read` raises is raised to its caller and not kept.
    """

    def __init__(self, read: Callable[[Environment], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._served: set[str] = set()
        self._kept: tuple[Environment, T] | None = None

    def get(self, reader: str, environment: Environment) -> T:
        """Return the reading for a reader, which names itself."""
        with self._lock:
            if self._kept is None or self._kept[0] is not environment or reader in self._served:
                self._kept = None
                self._served.clear()
                self._kept = (environment, self._read(environment))
            self._served.add(reader)
            return self._kept[1]
