"""The connections of a run, opened within a deadline, and who may seed: one process at a time, after the guard."""

from __future__ import annotations

import hashlib
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.advisory import locked
from pytest_devenv.clients.marker import require_changeable
from pytest_devenv.clients.postgres import opened
from pytest_devenv.errors import GuardError, SeedError, explain
from pytest_devenv.guard import Consent, judge_address
from pytest_devenv.seed.failure import SeedingLockedError
from pytest_devenv.seed.rows import adapt
from pytest_devenv.seed.tracking import SAME_SPELLING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_CHECKS_CLIENT = 140000
_ELSE_READ_ONLY = "SET default_transaction_read_only = on"
_WITNESS_PATIENCE_MS = 5000


@dataclass(frozen=True, slots=True)
class Permission:
    """Who asks to seed which database: an environment of its own, or a person's word for production and staging."""

    address: DatabaseAddress
    tier: Tier
    consent: Consent | None = None

    def ask(self) -> None:
        """Refuse what can be refused without a connection. Raises GuardError."""
        where, database = str(self.address), self.address.database
        if self.tier.changeable:
            judge_address(database, self.address.endpoint.host, where=where)
        elif self.consent is None or self.consent.database != database:
            message = explain(
                f"refused to seed {database}: the environment is {self.tier} and nobody confirmed it",
                expected=f"the database's name, confirmed: {database}",
                found="no confirmation" if self.consent is None else f"the name {self.consent.database}",
                where=where,
            )
            remedy = f"pytest-devenv db seed --env {self.tier} --confirm {shlex.quote(database)}"
            raise GuardError(message, remedy=remedy)

    def require(self, connection: Connection, *, fill: bool = False) -> None:
        """Refuse to change a database that does not say that it may be; with `fill` an empty one is marked first.

        Raises GuardError.
        """
        if self.tier.changeable:
            require_changeable(connection, self.tier, self.address, fill=fill)


def connected(address: DatabaseAddress, *, deadline_s: float) -> AbstractContextManager[Connection]:
    """Open a connection, and close it. Raises SeedError where there is none to be had."""
    return opened(address, deadline_s=deadline_s, failure=SeedError)


@contextmanager
def writing(address: DatabaseAddress, *, deadline_s: float) -> Iterator[Connection]:
    """Open a connection on which a seed may write, in the transaction that is begun for it and in no other.

    Whatever a seed sends after it has ended that one, be it in the same string, finds a transaction that only reads.
    """
    with connected(address, deadline_s=deadline_s) as connection:
        adapt(connection)
        connection.execute(_ELSE_READ_ONLY)
        connection.read_only = False
        yield connection


def fresh_settings(connection: Connection, statement_timeout_s: float) -> str:
    """Return the statements that give every seed the same session, whatever the one before has set.

    The server ends a statement that takes too long, a transaction in which nothing is asked for as long, and, within
    half a second, whatever runs for a process that was killed.
    """
    timeout_ms = max(1, round(statement_timeout_s * 1000))
    text = (
        f"RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; {_ELSE_READ_ONLY};"
        f" SET LOCAL statement_timeout = {timeout_ms}; SET LOCAL idle_in_transaction_session_timeout = {timeout_ms}"
    )
    if connection.info.server_version >= _CHECKS_CLIENT:
        text += "; SET LOCAL client_connection_check_interval = 500"
    return text


@contextmanager
def witnessing(address: DatabaseAddress, *, deadline_s: float) -> Iterator[Connection]:
    """Open a connection that looks on while another one writes, and gives up rather than wait for a lock."""
    with connected(address, deadline_s=deadline_s) as connection:
        connection.execute(f"{SAME_SPELLING}; SET lock_timeout = {_WITNESS_PATIENCE_MS}".encode())
        yield connection


def alone(connection: Connection, *, timeout_s: float, where: str) -> AbstractContextManager[None]:
    """Be the only one who seeds this database. Raises SeedingLockedError, naming the other, after `timeout_s` seconds.

    The server frees the lock when its holder's connection ends, however it ends.
    """
    key = int.from_bytes(hashlib.sha256(b"pytest-devenv seeds").digest()[:8], "big", signed=True)

    def refusal(holder: str) -> SeedingLockedError:
        message = explain(
            "another process seeds this database",
            expected=f"the seeds' lock {key} free within {timeout_s:g} s",
            found=f"it is held by {holder}",
            where=where,
        )
        return SeedingLockedError(message, remedy="wait for it to end, or end it: SELECT pg_terminate_backend(pid)")

    return locked(connection, key, timeout_s=timeout_s, refusal=refusal)
