"""A PostgreSQL server of our own, for data that need not survive a power cut."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.embedded.binaries import postgres_bin
from pytest_devenv.targets.embedded.child import Child, spawn, wait_until
from pytest_devenv.targets.embedded.initdb import ENV, SUPERUSER, initialise
from pytest_devenv.targets.embedded.ports import HOST
from pytest_devenv.targets.embedded.startup import start_on_free_port

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.targets.embedded.account import Account

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
    home = instance / service
    home.mkdir(mode=0o700)
    account.own(home)
    deadline = time.monotonic() + start_s
    data = home / "data"
    password = initialise(service, binaries, data, account, instance)

    def start(port: int) -> Child:
        options = [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options]
        return spawn(service, command, instance=instance, account=account, env=ENV, cwd=home)

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


def _says_ready(pid_file: Path) -> bool:
    """Tell whether the server wrote `ready` as the eighth line of its postmaster.pid, as pg_ctl looks for."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    status_line = 8
    return len(lines) >= status_line and lines[status_line - 1].strip() == "ready"
