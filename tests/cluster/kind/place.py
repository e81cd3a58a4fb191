"""Where things are kept: outside the repository, below the user's cache folder or PYTEST_DEVENV_CACHE."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_devenv.targets.wheels import cache_folder
from tests.cluster.kind.versions import key

if TYPE_CHECKING:
    from collections.abc import Iterator


def home() -> Path:
    """Return the folder of everything that the cluster needs, made where it is not there."""
    folder = cache_folder() / "kind"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder.resolve()


def name() -> str:
    """Return the name of the engine's network namespace and control groups: no other cache folder has the same."""
    return f"devenv-kind-{key(str(home()))[:6]}"


def running() -> Path:
    """Return the folder of the engine while it runs: its socket and its log. It does not outlive the machine."""
    return Path("/run") / name()


def data() -> Path:
    """Return the folder of the images and containers that the engine holds."""
    return home() / "engine"


def recent(made: Path, family: str, *, kept: int) -> Path:
    """Note that a thing was used now, and remove those of its family that were not for longest; return it.

    `family` is the pattern of their names, and `kept` how many stay: more than one, as another checkout may want its
    own.
    """
    made.touch()
    others = sorted(made.parent.glob(family), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[kept:]:
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
    return made


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time make or take away; whoever comes second waits, and says so."""
    with (home() / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            click.echo(f"   another process is at it: waiting for {file.name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
