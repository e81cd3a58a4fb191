"""The errors that pytest-devenv raises; every message says what was expected, found, where, and the remedy."""

from __future__ import annotations


class DevenvError(Exception):
    """Any error that pytest-devenv raises on purpose.

    The message is written for the person at the terminal. `remedy` is the command or edit that mends it.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message if remedy is None else f"{message}\n  remedy: {remedy}")


class ConfigError(DevenvError):
    """The configuration cannot be used: it names every problem at once."""


class TargetError(DevenvError):
    """The environment's target cannot be chosen, reached or started."""


class NoEngineError(TargetError):
    """No container engine runs the environment's cluster, so that nothing can be said of what is in it."""


class GuardError(DevenvError):
    """A change was refused, because what it would change is not known to be a development environment."""


class MigrationError(DevenvError):
    """A migration cannot be read, planned or applied."""


class LockedError(MigrationError):
    """Another migrator holds the lock, and held it past the deadline."""


class SeedError(DevenvError):
    """A seed cannot be read, planned or applied."""


class WaitTimeoutError(DevenvError, TimeoutError):
    """A wait passed its deadline; the message says what was last seen."""


def explain(summary: str, *, expected: str, found: str, where: str) -> str:
    """Return a message with its parts in the order in which they are read."""
    return f"{summary}\n  expected: {expected}\n  found: {found}\n  where: {where}"
