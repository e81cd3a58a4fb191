"""The guard as migrations meet it: before connecting, when a database is first filled, and before each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pytest_devenv.clients.marker import mark_if_empty, require_changeable
from pytest_devenv.guard import Consent, judge_address, judge_consent

if TYPE_CHECKING:
    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class Permission(NamedTuple):
    """Who asks to change which database: an environment of its own, or a person's word for production and staging."""

    address: DatabaseAddress
    tier: Tier
    consent: Consent | None = None

    def ask(self) -> None:
        """Refuse what can be refused without a connection. Raises GuardError."""
        where = str(self.address)
        if self.tier.changeable:
            judge_address(self.address.database, self.address.endpoint.host, where=where)
        else:
            judge_consent(self.address.database, self.tier, self.consent, where=where)

    def mark(self, connection: Connection) -> None:
        """Mark an empty database, since it is about to be filled for the first time."""
        if self.tier.changeable:
            mark_if_empty(connection, self.tier)

    def require(self, connection: Connection) -> None:
        """Refuse to change a database that does not say that it may be. Raises GuardError."""
        if self.tier.changeable:
            require_changeable(connection, self.tier, self.address)
