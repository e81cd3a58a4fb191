"""What is said of a service that could not be brought up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.targets.embedded.startup import ServerStartError
from pytest_devenv.verdict import Evidence, Verdict, failed, unknown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.errors import DevenvError, TargetError
    from pytest_devenv.settings import Database, Service

_NO_SPACE = "No space left on device"


def did_not_start(service: Service, error: TargetError) -> Verdict:
    """Say why a service is not there, with the tail of its log; one that could not even be tried is unknown."""
    if not isinstance(error, ServerStartError):
        return unknown(f"{service.name} could not be started: {error.message}", remedy=error.remedy)
    log = (Evidence(f"last lines of {service.name}", error.log),) if error.log else ()
    remedy = "mend what its log says, then run again"
    if _NO_SPACE in error.log:
        remedy = "free space on that disk, or name a folder on another: PYTEST_DEVENV_STATE=/path/with/space"
    elif service.command:
        remedy = f"mend what its log says; by hand it runs as: {' '.join(service.command)}"
    return failed(
        f"{service.name} did not start: {error.reason}",
        expected=f"{service.name} up and listening",
        found=error.reason,
        where="the embedded target, on this machine",
        remedy=remedy,
        evidence=log,
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
