"""Connections that are kept: one for many questions, none that is broken, none at rest."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from pytest_devenv.clients.pool import Pool
from pytest_devenv.clients.postgres import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.pool import Connection
    from pytest_devenv.clients.postgres import DatabaseAddress
    from tests.conftest import Postgres

DEADLINE_S = 30.0


@pytest.fixture
def address(postgres_server: Postgres) -> Iterator[DatabaseAddress]:
    """Give an empty database."""
    made = postgres_server.create_database()
    yield made
    postgres_server.drop_database(made.database)


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Give a pool, closed afterwards."""
    made = Pool()
    yield made
    made.close()


def pid(connection: Connection) -> int:
    """Return the server process that serves a connection."""
    return connection.info.backend_pid


def connections(postgres_server: Postgres, address: DatabaseAddress) -> int:
    """Return how many connections there are to a database."""
    with connect(postgres_server.server.administer()) as connection:
        row = connection.execute("select count(*) from pg_stat_activity where datname = %s", [address.database])
        return int((row.fetchone() or (-1,))[0])


def test_the_next_question_has_the_same_connection(pool: Pool, address: DatabaseAddress) -> None:
    """One is made for the first question, and kept for the others."""
    with pool.take(address, deadline_s=DEADLINE_S) as first:
        one = pid(first)
    lent = pool.take(address, deadline_s=DEADLINE_S)
    with lent as second:
        assert (pid(second), lent.kept) == (one, True)


def test_a_fresh_connection_is_made_now(pool: Pool, address: DatabaseAddress) -> None:
    """It is another one, and what was kept before is closed."""
    with pool.take(address, deadline_s=DEADLINE_S) as first:
        one = pid(first)
    with pool.take(address, deadline_s=DEADLINE_S, fresh=True) as second:
        assert pid(second) != one
    assert first.closed


def test_a_long_question_does_not_hold_up_the_next(pool: Pool, address: DatabaseAddress) -> None:
    """Who comes meanwhile waits a moment for the connection, and then makes another."""
    with pool.take(address, deadline_s=DEADLINE_S) as held, ThreadPoolExecutor(1) as threads:

        def ask() -> int:
            with pool.take(address, deadline_s=DEADLINE_S) as connection:
                return pid(connection)

        assert threads.submit(ask).result(timeout=30) != pid(held)


def test_at_rest_nobody_is_connected(pool: Pool, address: DatabaseAddress, postgres_server: Postgres) -> None:
    """A database can be copied and dropped again, and the next question makes a connection of its own."""
    with pool.take(address, deadline_s=DEADLINE_S):
        pass
    assert connections(postgres_server, address) == 1
    pool.rest()
    end = time.monotonic() + 30
    while connections(postgres_server, address) > 0:  # the server notices when it has a moment
        assert time.monotonic() < end, "nobody is connected"
        time.sleep(0.02)
    with pool.take(address, deadline_s=DEADLINE_S) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_connection_in_a_transaction_is_not_kept(pool: Pool, address: DatabaseAddress) -> None:
    """The next question finds no transaction that another one left."""
    with pool.take(address, deadline_s=DEADLINE_S) as connection:
        connection.execute("begin")
    assert connection.closed
    lent = pool.take(address, deadline_s=DEADLINE_S)
    with lent:
        assert not lent.kept


def test_a_kept_connection_that_broke_is_stale(pool: Pool, address: DatabaseAddress, postgres_server: Postgres) -> None:
    """Whoever comes upon it can tell it from a fault of the server as it is now."""
    with pool.take(address, deadline_s=DEADLINE_S) as first:
        one = pid(first)
    with connect(postgres_server.server.administer()) as admin:
        admin.execute("select pg_terminate_backend(%s, 30000)", [one])
    lent = pool.take(address, deadline_s=DEADLINE_S)
    with pytest.raises(psycopg.OperationalError), lent as connection:
        connection.execute("select 1")
    assert lent.is_stale
    with pool.take(address, deadline_s=DEADLINE_S) as anew:
        assert anew.execute("select 1").fetchone() == (1,)


def test_a_pool_that_keeps_none_closes_each(address: DatabaseAddress) -> None:
    """So it is outside of a run, where nobody would close them."""
    with Pool(keep=False).take(address, deadline_s=DEADLINE_S) as connection:
        pass
    assert connection.closed
