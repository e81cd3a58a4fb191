"""A PostgreSQL server of our own: made in half a second, for data that need not survive a power cut."""

from __future__ import annotations

import secrets
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.embedded.binaries import postgres_bin
from pytest_devenv.targets.embedded.child import INSTANCE_VARIABLE, Child, spawn, wait_until
from pytest_devenv.targets.embedded.ports import HOST
from pytest_devenv.targets.embedded.startup import ServerStartError, start_on_free_port

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.targets.embedded.account import Account

SUPERUSER = "postgres"
_INITDB_S = 60

# Nothing here has to survive a crash of the machine: no fsync, no full pages. The rest keeps it small.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "wal_level": "replica",
    "max_wal_senders": "0",
    "autovacuum_naptime": "10min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server and its superuser's endpoint."""

    child: Child
    superuser: Endpoint

    def administer(self, database: str = "postgres") -> DatabaseAddress:
        """Return where its superuser connects."""
        return DatabaseAddress(self.superuser, database)


def start_postgres(service: str, instance: Path, account: Account, *, start_s: float) -> PostgresServer:
    """Make a cluster below the instance's folder and start a server on it, ready to be connected to.

    Raises ServerStartError with the log's tail where that fails or takes longer than `start_s` seconds.
    """
    binaries = postgres_bin(account)
    password = Secret(secrets.token_urlsafe(16))
    home = instance / service
    home.mkdir(mode=0o700)
    account.own(home)
    deadline = time.monotonic() + start_s
    data = home / "data"
    _initialise(service, binaries, data, password, account, home, instance)

    def start(port: int) -> Child:
        options = [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options]
        return spawn(service, command, instance=instance, account=account, env=_ENV, cwd=home)

    def ready(child: Child, _port: int) -> bool:
        return wait_until(lambda: _says_ready(data / "postmaster.pid"), child, deadline=deadline)

    child, port = start_on_free_port(start, ready, deadline=deadline)
    superuser = Endpoint(
        service=service,
        kind=ServiceKind.POSTGRES,
        host=HOST,
        port=port,
        user=SUPERUSER,
        password=password,
        source="embedded",
    )
    return PostgresServer(child, superuser)


# The locale decides how text sorts and in which language the log speaks: both plain.
_ENV = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def _initialise(
    service: str, binaries: Path, data: Path, password: Secret, account: Account, home: Path, instance: Path
) -> None:
    """Run initdb without waiting for the disk: 0.4 to 0.6 s. It belongs to the instance, as every child does."""
    password_file = home / "password"
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
            env={**_ENV, INSTANCE_VARIABLE: str(instance)},
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


def _says_ready(pid_file: Path) -> bool:
    """Tell whether the server wrote `ready` as the eighth line of its postmaster.pid, as pg_ctl looks for."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    status_line = 8
    return len(lines) >= status_line and lines[status_line - 1].strip() == "ready"
