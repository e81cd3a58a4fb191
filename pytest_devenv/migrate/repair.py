"""History rows mended by hand: what would be written is shown first, and what was written is logged."""

from __future__ import annotations

import enum
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import MigrationError, explain
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.model import LOCK_TIMEOUT_S, LOOK_TIMEOUT_S
from pytest_devenv.migrate.permission import Permission
from pytest_devenv.migrate.session import connected, locate, migrating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import sql

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Consent
    from pytest_devenv.migrate.dialect import History
    from pytest_devenv.migrate.model import Applied, Edited, Migration, Status
    from pytest_devenv.migrate.plain import PlainEngine
    from pytest_devenv.settings import Tier

_LOG = logging.getLogger(__name__)


class Action(enum.StrEnum):
    """What a person found: all of a dirty migration is there, none of it is, an edit is harmless, a file is gone."""

    APPLIED = "applied"
    ABSENT = "absent"
    EDITED = "edited"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Repair:
    """One row that would be written: what it says now, what it would say, and the statement."""

    version: str
    action: Action
    before: str
    after: str
    statement: str

    def __str__(self) -> str:
        return f"{self.version}: {self.before} → {self.after}"


def plan_repair(engine: PlainEngine, address: DatabaseAddress, version: str, action: Action) -> Repair:
    """Say what `repair` would write; changes nothing. Raises MigrationError where there is nothing of that to mend."""
    status = engine.status(address)
    before, after, checksum = _judge(status, version, action, where=str(address))
    with connected(address, deadline_s=LOOK_TIMEOUT_S) as connection:
        table, _ = locate(connection, engine.table)
        statement = _statement(engine.dialect.history, table, version, action, checksum)
        return Repair(version, action, before, after, statement.as_string(connection))


def apply_repair(
    engine: PlainEngine,
    address: DatabaseAddress,
    version: str,
    action: Action,
    *,
    tier: Tier,
    consent: Consent | None = None,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
) -> Repair:
    """Write what `plan_repair` showed, under the migrators' lock and after the guard has agreed."""
    permission = Permission(address, tier, consent)
    permission.ask()
    with (
        migrating(address, deadline_s=LOOK_TIMEOUT_S) as connection,
        held(connection, engine.dialect.lock_key(address.database), timeout_s=lock_timeout_s, where=str(address)),
    ):
        permission.require(connection)
        planned = plan_repair(engine, address, version, action)
        connection.execute(planned.statement)
    _LOG.warning("repaired the history of %s, %s", address, planned)
    return planned


def _judge(status: Status, version: str, action: Action, *, where: str) -> tuple[str, str, str]:
    if action in {Action.APPLIED, Action.ABSENT} and any(row.version == version for row in status.dirty):
        return "dirty", "applied" if action is Action.APPLIED else "not applied", ""
    if action is Action.FORGET and any(row.version == version for row in status.missing):
        return "applied, its file is missing", "not applied", ""
    if action is Action.EDITED:
        for change in status.edited:
            if change.version == version:
                before, after = change.applied_checksum, change.found_checksum
                return f"checksum {before}", f"checksum {after}", after
    wrong = {Action.EDITED: "edited", Action.FORGET: "missing"}.get(action, "dirty")
    message = explain(
        f"migration {version} needs no such repair",
        expected=f"a migration that is {wrong}",
        found=_standing(status, version),
        where=where,
    )
    raise MigrationError(message, remedy="pytest-devenv db status says what needs a repair")


def _standing(status: Status, version: str) -> str:
    standings: dict[str, Sequence[Applied | Edited | Migration]] = {
        "dirty": status.dirty,
        "edited": status.edited,
        "missing": status.missing,
        "applied as it stands": status.applied,
        "pending": status.pending,
    }
    for standing, rows in standings.items():
        if any(row.version == version for row in rows):
            return f"{version} is {standing}"
    return f"no migration {version}"


def _statement(history: History, table: sql.Composable, version: str, action: Action, checksum: str) -> sql.Composed:
    if action is Action.APPLIED:
        return history.finish(table, version)
    if action is Action.EDITED:
        return history.recheck(table, version, checksum)
    return history.delete(table, version)
