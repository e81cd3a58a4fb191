"""How a `db` command ends: one exit code for each thing that a script treats differently."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from pytest_devenv.errors import ConfigError, GuardError, LockedError, SeedError

if TYPE_CHECKING:
    from pytest_devenv.errors import DevenvError


class Code(enum.IntEnum):
    """The exit codes of every `db` command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PENDING = 3
    REFUSED = 4
    LOCKED = 5

    @property
    def word(self) -> str:
        """The code as the audit and the JSON write it."""
        return self.name.lower()


class UsageError(ConfigError):
    """The command was called in a way that it cannot be: the message says how it can."""


def code_of(error: DevenvError) -> Code:
    """Return the exit code for an error."""
    if isinstance(error, GuardError):
        return Code.REFUSED
    if isinstance(error, LockedError) or (isinstance(error, SeedError) and _is_locked(error)):
        return Code.LOCKED
    return Code.USAGE if isinstance(error, ConfigError) else Code.FAILED


def _is_locked(error: SeedError) -> bool:
    from pytest_devenv.seed import SeedingLockedError

    return isinstance(error, SeedingLockedError)
