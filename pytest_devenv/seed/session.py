"""The connections of a run, opened within a deadline, and who may seed: one process at a time, after the guard."""

from __future__ import annotations

import hashlib
import shlex
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.marker import require_changeable
from pytest_devenv.clients.postgres import connect
from pytest_devenv.errors import GuardError, SeedError
from pytest_devenv.guard import Consent, judge_address
from pytest_devenv.seed.failure import SeedingLockedError, explain
from pytest_devenv.seed.rows import adapt
from pytest_devenv.seed.tracking import SAME_SPELLING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_CHECKS_CLIENT = 140000
_SHORTEST_S, _LONGEST_S = 0.01, 0.25
_WITNESS_PATIENCE_MS = 5000
_HOLDER = """
    SELECT a.pid, a.application_name, a.client_addr, a.backend_start, a.usename
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND l.classid = %s AND l.objid = %s
"""


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


@contextmanager
def connected(address: DatabaseAddress, *, deadline_s: float) -> Iterator[Connection]:
    """Open a connection, and close it. Raises SeedError where there is none to be had."""
    import psycopg

    try:
        connection = connect(address, deadline_s=deadline_s)
    except psycopg.OperationalError as error:
        message = explain(
            f"cannot connect to {address.database}",
            expected=f"a server that accepts the connection within {deadline_s:g} s",
            found=" ".join(str(error).split()),
            where=str(address),
        )
        remedy = f"see what is wrong: psql -h {address.endpoint.host} -p {address.endpoint.port} -d {address.database}"
        raise SeedError(message, remedy=remedy) from error
    with connection:
        yield connection


@contextmanager
def writing(address: DatabaseAddress, *, deadline_s: float) -> Iterator[Connection]:
    """Open a connection on which a seed may write."""
    with connected(address, deadline_s=deadline_s) as connection:
        adapt(connection)
        yield connection


def fresh_settings(connection: Connection, statement_timeout_s: float) -> str:
    """Return the statements that give every seed the same session, whatever the one before has set.

    The server ends a statement that takes too long, a transaction in which nothing is asked for as long, and, within
    half a second, whatever runs for a process that was killed.
    """
    timeout_ms = max(1, round(statement_timeout_s * 1000))
    text = (
        "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;"
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


@contextmanager
def alone(connection: Connection, *, timeout_s: float, where: str) -> Iterator[None]:
    """Be the only one who seeds this database. Raises SeedingLockedError, naming the other, after `timeout_s` seconds.

    The server frees the lock when its holder's connection ends, however it ends.
    """
    key = int.from_bytes(hashlib.sha256(b"pytest-devenv seeds").digest()[:8], "big", signed=True)
    deadline = time.monotonic() + timeout_s
    pause_s = _SHORTEST_S
    holder = "nobody that could be seen"
    while True:
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [key]).fetchone()
        if row is not None and row[0]:
            break
        holder = _holder(connection, key) or holder
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            message = explain(
                "another process seeds this database",
                expected=f"the seeds' lock {key} free within {timeout_s:g} s",
                found=f"it is held by {holder}",
                where=where,
            )
            raise SeedingLockedError(message, remedy="wait for it to end, or end it: SELECT pg_terminate_backend(pid)")
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.6, _LONGEST_S)
    try:
        yield
    finally:
        if not (connection.closed or connection.broken):
            connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [key])


def _holder(connection: Connection, key: int) -> str | None:
    unsigned = key & 0xFFFF_FFFF_FFFF_FFFF
    row = connection.execute(_HOLDER, [unsigned >> 32, unsigned & 0xFFFF_FFFF]).fetchone()
    if row is None:
        return None
    pid, application, address, since, user = row
    origin = "a local socket" if address is None else str(address)
    began = "unknown" if since is None else f"{since:%Y-%m-%d %H:%M:%S %Z}"
    return f"pid {pid}, application {application or '(unnamed)'}, user {user}, from {origin}, connected since {began}"
