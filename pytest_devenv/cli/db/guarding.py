"""The guard as commands ask it: first without a connection, then of the database itself, and only then a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.clients.marker import require_changeable
from pytest_devenv.guard import judge_address, judge_tier
from pytest_devenv.migrate.session import connected

if TYPE_CHECKING:
    from pytest_devenv.cli.db.call import Call
    from pytest_devenv.clients.postgres import DatabaseAddress


def judge(call: Call, address: DatabaseAddress) -> None:
    """Refuse what can be refused without a connection. Raises GuardError."""
    judge_tier(call.tier, where=str(address))
    judge_address(address.database, address.endpoint.host, where=str(address))


def require(call: Call, address: DatabaseAddress) -> None:
    """Refuse a database that does not say that it may be changed. Raises GuardError."""
    judge(call, address)
    with connected(address, deadline_s=call.settings.deadline_s) as connection:
        require_changeable(connection, call.tier, address)
