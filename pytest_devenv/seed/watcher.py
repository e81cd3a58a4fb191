"""Keeping the registry current while somebody edits seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed.catalog import load
from pytest_devenv.seed.registry import FILE, Synced, sync_registry

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

_QUIET_MS = 50


def watch(folder: Path, *, stop: threading.Event | None = None) -> Iterator[Synced | SeedError]:
    """Write the registry now, and again after each change of a file in the folder, until `stop` is set.

    Yields what each time changed, or the error for as long as the seeds cannot be used. Raises SeedError where
    watchfiles (extra `watch`) is not installed.
    """
    try:
        from watchfiles import Change, DefaultFilter
        from watchfiles import watch as watch_files
    except ImportError as error:
        message = explain(
            "seeds cannot be watched", expected="the package watchfiles", found="it is not installed", where=str(folder)
        )
        raise SeedError(message, remedy="pip install 'pytest-devenv[watch]'") from error

    class Others(DefaultFilter):
        """All files but the registry and its temporary copies."""

        def __call__(self, change: Change, path: str) -> bool:
            return f"/{FILE}" not in path and f"/.{FILE}" not in path and super().__call__(change, path)

    folder = folder.resolve()
    yield _sync(folder)
    for _ in watch_files(folder, watch_filter=Others(), stop_event=stop, step=_QUIET_MS, rust_timeout=500):
        yield _sync(folder)


def _sync(folder: Path) -> Synced | SeedError:
    try:
        return sync_registry(load(folder))
    except SeedError as error:
        return error
