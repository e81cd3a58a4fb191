"""Connections to PostgreSQL that are kept from one question to the next."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.postgres import DatabaseAddress, connect

if TYPE_CHECKING:
    from types import TracebackType

    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_PATIENCE_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Lent:
    """A connection for the one thread that took it, which gives it back at the end of the `with`."""

    pool: Pool
    address: DatabaseAddress
    connection: Connection
    kept: bool

    @property
    def is_stale(self) -> bool:
        """Whether it was kept from an earlier question and has broken since, as when its server was started again."""
        return self.kept and self.connection.closed

    def __enter__(self) -> Connection:
        return self.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.pool.give_back(self)


class Pool:
    """Connections in autocommit, lent to one question at a time; threads may share a pool.

    To connect costs as much as fifty questions, most of it for the thousands of hashes of a password. So who comes
    while every connection to a database is lent waits 50 ms for one, before making another. A pool that does not
    `keep` closes each after its question.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._changed = threading.Condition()
        self._idle: dict[DatabaseAddress, list[Connection]] = {}
        self._lent: dict[DatabaseAddress, int] = {}

    def take(self, address: DatabaseAddress, *, deadline_s: float, fresh: bool = False) -> Lent:
        """Take a connection, to be used in a `with`; its statements end after the `deadline_s` of whoever made it.

        A `fresh` one is made now, and what was kept to the same database is closed. Raises psycopg.OperationalError.
        """
        if fresh:
            self._close(address)
        with self._changed:
            kept = None if fresh or not self._keep else self._kept(address)
            self._lent[address] = self._lent.get(address, 0) + 1
        if kept is not None:
            return Lent(self, address, kept, kept=True)
        try:
            made = connect(address, deadline_s=deadline_s, statement_timeout_s=deadline_s)
        except BaseException:
            self._settle(address, None)
            raise
        return Lent(self, address, made, kept=False)

    def give_back(self, lent: Lent) -> None:
        """Keep a connection for the next question, unless it broke or is in the middle of something."""
        from psycopg.pq import TransactionStatus

        connection = lent.connection
        usable = connection.pgconn.transaction_status == TransactionStatus.IDLE
        if not self._settle(lent.address, connection if usable else None):
            connection.close()

    def rest(self) -> None:
        """Close what nobody uses: a database with connections can neither be copied nor dropped."""
        with self._changed:
            addresses = tuple(self._idle)
        for address in addresses:
            self._close(address)

    def close(self) -> None:
        """Close every connection; those that are lent, as soon as they are given back."""
        with self._changed:
            self._keep = False
        self.rest()

    def _kept(self, address: DatabaseAddress) -> Connection | None:
        """Return an idle connection, waiting a moment where all are lent; needs the lock."""
        end = time.monotonic() + _PATIENCE_S
        while not self._idle.get(address):
            left_s = end - time.monotonic()
            if not self._lent.get(address) or left_s <= 0:
                return None
            self._changed.wait(left_s)
        return self._idle[address].pop()

    def _settle(self, address: DatabaseAddress, idle: Connection | None) -> bool:
        """Count one lent connection less, and tell whether it is kept: after `close` none is."""
        with self._changed:
            self._lent[address] -= 1
            self._changed.notify_all()
            if idle is None or not self._keep:
                return False
            self._idle.setdefault(address, []).append(idle)
            return True

    def _close(self, address: DatabaseAddress) -> None:
        with self._changed:
            idle = self._idle.pop(address, ())
        for connection in idle:
            connection.close()
