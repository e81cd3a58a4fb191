"""A database that exists for one look: made and dropped by us, or dropped by the next run if we were killed."""

from __future__ import annotations

import secrets
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pytest_devenv.clients.marker import read_identity, read_marker, write_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.guard import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import sql

    from pytest_devenv.probes.asking import Connection
    from pytest_devenv.settings import Tier

PREFIX = "devenv_scratch_"
_YOUNG_S = 60

_LIKE_THIS_ONE = """
    select pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, t.oid is not null
      from pg_database d
      left join pg_database t on t.datname = 'template1' and t.encoding = d.encoding
                             and t.datcollate = d.datcollate and t.datctype = d.datctype
     where d.datname = current_database()
"""
_ABANDONED = """
    select datname from pg_database
     where starts_with(datname, %s) and datdba = (select oid from pg_roles where rolname = current_user)
       and not exists (select from pg_stat_activity a where a.datname = pg_database.datname)
"""


@contextmanager
def scratch(connection: Connection, address: DatabaseAddress, tier: Tier) -> Iterator[DatabaseAddress]:
    """Create an empty database on the server of `address`, encoded as that one is, and drop it afterwards.

    `connection` is one to that database whose change the guard has allowed. Raises
    `psycopg.errors.InsufficientPrivilege` where the role may not create databases.
    """
    from psycopg import sql

    name = f"{PREFIX}{int(time.time()):08x}{secrets.token_hex(4)}"
    connection.execute(_creation(connection, name))
    made = DatabaseAddress(address.endpoint, name)
    try:
        # Kept open, since a database that someone is connected to is never taken for one that was left behind.
        with closing(connect(made)) as owner:
            write_marker(owner, tier, Origin.CREATED)
            yield made
    finally:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def sweep(connection: Connection, address: DatabaseAddress) -> tuple[str, ...]:
    """Drop the scratch databases of runs that were killed, and return their names.

    They are this role's, nobody is connected to them, they were made more than a minute ago, and hold our marker or
    nothing. One that somebody connects to meanwhile stays: it is dropped without force.
    """
    import psycopg
    from psycopg import sql

    dropped = []
    for (name,) in connection.execute(_ABANDONED, (PREFIX,)).fetchall():
        if _age_s(name) < _YOUNG_S:
            continue
        try:
            if _is_ours(DatabaseAddress(address.endpoint, name)):
                connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
                dropped.append(name)
        except (psycopg.errors.ObjectInUse, psycopg.OperationalError):
            continue  # someone else sweeps, or looks into it
    return tuple(dropped)


def _creation(connection: Connection, name: str) -> sql.Composed:
    from psycopg import sql

    row = connection.execute(_LIKE_THIS_ONE).fetchone()
    if row is None or row[3]:
        return sql.SQL("create database {}").format(sql.Identifier(name))
    encoding, collate, ctype, _ = row
    return sql.SQL("create database {} template template0 encoding {} lc_collate {} lc_ctype {}").format(
        sql.Identifier(name), sql.Literal(encoding), sql.Literal(collate), sql.Literal(ctype)
    )


def _age_s(name: str) -> float:
    try:
        made = int(name.removeprefix(PREFIX)[:8], 16)
    except ValueError:
        return 0.0
    return time.time() - made


def _is_ours(address: DatabaseAddress) -> bool:
    with closing(connect(address)) as connection:
        identity, marker = read_identity(connection), read_marker(connection)
        return identity.is_empty or (marker is not None and marker.names(identity))
