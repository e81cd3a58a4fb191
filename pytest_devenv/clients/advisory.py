"""Advisory locks of PostgreSQL, held by a session: polled within a deadline, with the holder named."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_SHORTEST_S, _LONGEST_S = 0.01, 0.25
_IDLE = 0  # psycopg.pq.TransactionStatus.IDLE
_HOLDER = """
    SELECT a.pid, a.application_name, a.client_addr, a.backend_start, a.usename
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND l.classid = %s AND l.objid = %s
"""


@contextmanager
def locked(
    connection: Connection, key: int, *, timeout_s: float, refusal: Callable[[str], Exception]
) -> Iterator[None]:
    """Hold the lock `key`. After `timeout_s` seconds raises what `refusal` makes of a text that names the holder.

    It is polled: a waiter blocked in pg_advisory_lock would hold a snapshot, for which the holder's
    CREATE INDEX CONCURRENTLY waits in turn. The server frees the lock when its holder's connection ends.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = _SHORTEST_S
    holder = "nobody that could be seen"
    while not _try(connection, key):
        holder = _holder(connection, key) or holder
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise refusal(holder)
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.6, _LONGEST_S)
    try:
        yield
    finally:
        # What was interrupted in the middle is rolled back, and its lock freed, when the connection closes.
        if not connection.closed and connection.info.transaction_status == _IDLE:
            connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [key])


def _try(connection: Connection, key: int) -> bool:
    row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [key]).fetchone()
    return row is not None and bool(row[0])


def _holder(connection: Connection, key: int) -> str | None:
    unsigned = key & 0xFFFF_FFFF_FFFF_FFFF
    row = connection.execute(_HOLDER, [unsigned >> 32, unsigned & 0xFFFF_FFFF]).fetchone()
    if row is None:
        return None
    pid, application, address, since, user = row
    origin = "a local socket" if address is None else str(address)
    began = "unknown" if since is None else f"{since:%Y-%m-%d %H:%M:%S %Z}"
    return f"pid {pid}, application {application or '(unnamed)'}, user {user}, from {origin}, connected since {began}"
