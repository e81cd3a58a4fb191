"""What is said of a service that could not be brought up."""

from __future__ import annotations

import errno
import shlex
import sys
from typing import TYPE_CHECKING

from pytest_devenv.clients.processes import shown
from pytest_devenv.settings.template import render
from pytest_devenv.targets.embedded.ports import HOST
from pytest_devenv.targets.embedded.startup import ServerStartError
from pytest_devenv.verdict import Evidence, Verdict, failed, unknown

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.errors import DevenvError, TargetError
    from pytest_devenv.settings import Database, Service

_NO_SPACE = "No space left on device"
_DISK_FULL = "53100"
_FREE_SPACE = "free space on that disk, or name a folder on another: PYTEST_DEVENV_STATE=/path/with/space"
_HERE = "the embedded target, on this machine"


def did_not_start(service: Service, error: TargetError) -> Verdict:
    """Say why a service is not there, with the tail of its log; one that could not even be tried is unknown."""
    if not isinstance(error, ServerStartError):
        return unknown(f"{service.name} could not be started: {error.message}", remedy=error.remedy)
    log = (Evidence(f"last lines of {service.name}", error.log),) if error.log else ()
    remedy = "mend what its log says, then run again"
    if _NO_SPACE in error.log:
        remedy = _FREE_SPACE
    elif (line := _by_hand(service)) is not None:
        remedy = f"mend what its log says; by hand it runs as: {line}"
    return failed(
        f"{service.name} did not start: {error.reason}",
        expected=f"{service.name} up and listening",
        found=error.reason,
        where=_HERE,
        remedy=remedy,
        evidence=log,
    )


def _by_hand(service: Service) -> str | None:
    """Return the line that runs a service's command as it stands, where it can be told whole and tells no secret."""
    port = service.local_port
    values = {"python": sys.executable, "host": HOST} | ({} if port is None else {"port": str(port)})
    try:
        words = [render(word, values) for word in service.command]
    except KeyError:  # what names another service's address, or a port that each run chooses anew
        return None
    return shlex.join(words) if words and shown(words) == shlex.join(words) else None


def machine_refused(service: Service, error: OSError, file: Path) -> Verdict:
    """Say what this machine did not let us do for a service, such as run a program that is not there."""
    found = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror or error)
    remedy = f"see that {error.filename} can be used, or name another folder: PYTEST_DEVENV_STATE=/path"
    if error.errno == errno.ENOSPC:
        remedy = _FREE_SPACE
    elif service.command and error.filename == service.command[0]:
        remedy = f"install {error.filename}, or correct services.{service.name}.command in {file}"
    return failed(
        f"{service.name} did not start: {found}",
        expected=f"{service.name} up and listening",
        found=found,
        where=_HERE,
        remedy=remedy,
    )


def did_not_provision(service: Service, error: psycopg.Error, file: Path) -> Verdict:
    """Say why the role and the databases of a new server could not be made."""
    said = " ".join(str(error).split())
    remedy = f"correct services.{service.name}.user, or the names and roles of its databases, in {file}"
    return failed(
        f"{service.name} could not be given its role and databases: {said}",
        expected="the role that the settings name, and each of its databases",
        found=said + (f" ({error.sqlstate})" if error.sqlstate else ""),
        where=_HERE,
        remedy=_FREE_SPACE if error.sqlstate == _DISK_FULL else remedy,
    )


def no_command(service: Service, file: Path) -> Verdict:
    """Say that the settings do not tell how this service runs on this machine."""
    return unknown(
        f"{service.name} has no command, so the embedded target cannot run it",
        where=str(file),
        remedy=f'set services.{service.name}.command, such as ["{{python}}", "-m", "app", "--port", "{{port}}"]',
    )


def did_not_migrate(database: Database, address: DatabaseAddress, error: DevenvError) -> Verdict:
    """Say which migration failed and why; an extension that this server does not have is could-not-look."""
    extension = getattr(error, "extension", None)
    if extension is not None:
        return unknown(
            f"database {database.name} needs the extension {extension}, which the embedded PostgreSQL does not have",
            where=str(address),
            remedy="run on a server that has it: --devenv-target=addresses or cluster",
        )
    summary, _, detail = error.message.partition("\n")
    return failed(
        f"migrations of {database.name} failed: {summary}",
        expected=f"every migration of {database.name} applied",
        found=summary,
        where=str(address),
        remedy=error.remedy or f"mend the migration, then: pytest-devenv db migrate --database {database.name}",
        evidence=(Evidence("the migration", detail.strip()),) if detail.strip() else (),
    )
