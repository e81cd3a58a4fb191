"""PostgreSQL: what is said of a server that answers, of one that refuses, and of one that is not there."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.probes import postgres
from pytest_devenv.secret import Secret
from pytest_devenv.settings import Database, PasswordSource, Service, ServiceKind
from pytest_devenv.verdict import State, failed
from tests.integration.probes.conftest import PASSWORD
from tests.integration.probes.samples import at_database, environment, local, look
from tests.integration.probes.servers import (
    answering,
    closed_port,
    hanging_up,
    postgres_refusing,
    serving,
    silent,
)

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from pytest_devenv.targets.environment import Environment
    from tests.conftest import Postgres
    from tests.integration.probes.conftest import Owned
    from tests.integration.probes.servers import Handler

ACCEPTS = "postgres.accepts_queries[postgres]"
SERVER = (
    ACCEPTS,
    "postgres.has_free_connections[postgres]",
    "postgres.tells_the_time[postgres]",
    "postgres.is_not_blocked[postgres]",
)
EXPECTED = "PostgreSQL that accepts queries as shop"


def at_port(port: int) -> Environment:
    """Return an environment with a PostgreSQL at a port, and no database but the server's own."""
    endpoint = replace(local("postgres", ServiceKind.POSTGRES, port), user="shop", password=Secret(PASSWORD))
    return environment(endpoint)


def test_a_server_that_accepts_queries_passes(owned: Owned) -> None:
    """The version and the time it took to connect and ask stand in the summary."""
    verdict = look(at_database(owned.address), ACCEPTS)
    assert verdict.state is State.PASS
    assert verdict.summary == f"PostgreSQL {verdict.facts['version']} accepts queries"


def test_a_missing_database_is_not_the_servers_fault(owned: Owned) -> None:
    """The server passes where only the environment's database is not there."""
    here = at_database(DatabaseAddress(owned.address.endpoint, "no_such_shop"))
    assert all(look(here, probe).passed for probe in SERVER)


def test_a_missing_database_fails(owned: Owned) -> None:
    """A database that is not there is created by one line, which migrates and seeds it as the settings say."""
    described = Database(name="no_such_shop", service="postgres")
    here = at_database(DatabaseAddress(owned.address.endpoint, "no_such_shop"), described)
    port = owned.address.endpoint.port
    assert look(here, "database.exists[no_such_shop]") == failed(
        "postgres has no database no_such_shop",
        expected="a database no_such_shop",
        found="database no_such_shop does not exist (3D000)",
        where=f"database no_such_shop on 127.0.0.1:{port} as {owned.role}",
        remedy="pytest-devenv db setup --database no_such_shop",
    )


def test_a_wrong_password_fails(owned: Owned) -> None:
    """A rejected password names the role, the variable that holds it, and how to give the role another."""
    endpoint = replace(owned.address.endpoint, password=Secret("not-the-password"))
    service = Service(name="postgres", kind=ServiceKind.POSTGRES, password=PasswordSource(env="SHOP_PASSWORD"))
    here = environment(endpoint, services=[service], databases=[Database(name=owned.role, service="postgres")])
    verdict = look(here, ACCEPTS)
    admin = f'psql "postgresql://postgres@127.0.0.1:{endpoint.port}/postgres"'
    assert verdict == failed(
        f"postgres rejects the password of {owned.role}",
        expected=f"PostgreSQL that accepts queries as {owned.role}",
        found=f"password authentication failed for user {owned.role} (28P01): a wrong password, or no such role",
        where=f"database {owned.role} on 127.0.0.1:{endpoint.port} as {owned.role}",
        remedy=f"set SHOP_PASSWORD to the password of {owned.role}; or give the role that password: "
        f"{admin} -c '\\password {owned.role}'",
    )


def test_a_missing_password_fails(owned: Owned) -> None:
    """A server that wants a password where none is configured says where to configure it."""
    endpoint = replace(owned.address.endpoint, password=None)
    verdict = look(environment(endpoint), ACCEPTS)
    assert verdict.summary == f"postgres wants a password for {owned.role}, and none is configured"
    assert verdict.remedy == (
        'say where it is found, such as password = { env = "POSTGRES_PASSWORD" } in services.postgres of pyproject.toml'
        "; or give the URL with it as PYTEST_DEVENV_POSTGRES_URL"
    )


def test_a_role_without_a_free_connection_fails(owned: Owned) -> None:
    """Too many connections is told apart from a server that is down."""
    owned.execute(f'alter role "{owned.role}" connection limit 0', as_admin=True)
    verdict = look(at_database(owned.address), ACCEPTS)
    assert verdict.summary == "postgres has no free connection"
    assert verdict.found == "too many connections (53300)"


def test_a_server_without_tls_fails_where_tls_was_asked_for(owned: Owned) -> None:
    """A server that offers no TLS names the setting that asks for it."""
    verdict = look(environment(replace(owned.address.endpoint, tls=True)), ACCEPTS)
    assert verdict.summary == "postgres does not offer TLS"
    assert verdict.remedy == "take sslmode=require out of services.postgres.url in pyproject.toml"


@pytest.mark.parametrize(
    ("handler", "summary", "found", "remedy"),
    [
        (
            hanging_up,
            "postgres hangs up at 127.0.0.1:{port}",
            "the connection was closed before PostgreSQL answered, as a dead port forward does",
            "start postgres at 127.0.0.1:{port}, or correct services.postgres.url in pyproject.toml",
        ),
        (
            answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "what answers at 127.0.0.1:{port} is not PostgreSQL",
            "an answer in another protocol",
            "pytest -m ports names who holds the port",
        ),
        (
            postgres_refusing("57P03", "the database system is starting up"),
            "postgres does not accept connections yet",
            "the database system is starting up (57P03)",
            "wait for it: pg_isready --host 127.0.0.1 --port {port} --timeout 30",
        ),
        (
            postgres_refusing("28000", 'role "shop" does not exist'),
            "postgres has no role shop",
            "role shop does not exist (28000)",
            """psql "postgresql://postgres@127.0.0.1:{port}/postgres" -c 'create role "shop" login'""",
        ),
        (
            postgres_refusing(
                "28000",
                'no pg_hba.conf entry for host "10.0.0.1", user "shop", database "postgres", no encryption',
            ),
            "postgres wants TLS",
            "pg_hba.conf lets shop in only with TLS (28000)",
            "add ?sslmode=require to services.postgres.url in pyproject.toml",
        ),
        (
            postgres_refusing("28000", 'no pg_hba.conf entry for host "10.0.0.1", user "shop", database "postgres"'),
            "postgres lets nobody in from here as shop",
            "no entry of pg_hba.conf is for shop, database postgres and this host (28000)",
            (
                'add to pg_hba.conf, where psql "postgresql://postgres@127.0.0.1:{port}/postgres"'
                " -c 'show hba_file'"
                " says it is: host postgres shop samehost scram-sha-256"
            ),
        ),
        (
            postgres_refusing("53300", "sorry, too many clients already"),
            "postgres has no free connection",
            "too many connections (53300)",
            (
                "see who holds them, and end what is forgotten: "
                """psql "postgresql://postgres@127.0.0.1:{port}/postgres" -c 'select usename, application_name,"""
                " state, count(*), min(state_change) from pg_stat_activity where"
                """ backend_type = '"'"'client backend'"'"' group by 1, 2, 3 order by 4 desc'"""
            ),
        ),
        (
            postgres_refusing("XX000", "out of luck, postgres://shop:open-sesame-7@here"),
            "postgres refuses the connection",
            (
                'connection failed: connection to server at "127.0.0.1", port {port} failed: FATAL: out of luck,'
                " postgres://shop:***@here"
            ),
            'psql "postgresql://shop@127.0.0.1:{port}/postgres"',
        ),
    ],
)
def test_a_server_that_refuses_fails_in_its_own_words(handler: Handler, summary: str, found: str, remedy: str) -> None:
    """Each way of refusing has its own words and its own remedy."""
    with serving(handler) as port:
        verdict = look(at_port(port), ACCEPTS)
    assert (verdict.summary, verdict.found, verdict.remedy) == (
        summary.format(port=port),
        found.format(port=port),
        remedy.format(port=port),
    )


def test_a_server_that_says_nothing_fails_at_the_deadline() -> None:
    """A connection that is taken and never answered fails within the deadline."""
    began = time.monotonic()
    with serving(silent) as port:
        verdict = look(at_port(port), ACCEPTS)
    assert verdict.summary == f"postgres does not answer at 127.0.0.1:{port}"
    assert verdict.found == "no answer within 2 s"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("probe", [*SERVER, "database.exists[shop]", "database.is_utf8[shop]"])
def test_every_probe_says_that_the_server_is_not_there(probe: str) -> None:
    """Whichever probe looks, a server that is down is called that, and not something else."""
    with closed_port() as port:
        here = at_database(DatabaseAddress(at_port(port).endpoints["postgres"], "shop"))
        verdict = look(here, probe)
    assert verdict == failed(
        f"postgres refuses connections at 127.0.0.1:{port}",
        expected=EXPECTED,
        found=f"connection refused: nothing listens at 127.0.0.1:{port}",
        where=f"database shop on 127.0.0.1:{port} as shop",
        remedy=f"start postgres at 127.0.0.1:{port}, or correct services.postgres.url in pyproject.toml",
    )


def test_a_host_without_an_address_fails() -> None:
    """A name that does not resolve is named, with the setting that holds it."""
    endpoint = replace(at_port(5432).endpoints["postgres"], host="nowhere.invalid")
    verdict = look(environment(endpoint), ACCEPTS)
    assert verdict.summary == "postgres is at a host that has no address: nowhere.invalid"
    assert verdict.remedy == "correct services.postgres.url in pyproject.toml"


def test_enough_free_connections_pass(owned: Owned) -> None:
    """A server with room says how much."""
    verdict = look(at_database(owned.address), SERVER[1])
    assert verdict.state is State.PASS
    assert verdict.summary == f"{verdict.facts['free']} of 97 connections free"


def test_too_few_free_connections_fail(owned: Owned) -> None:
    """A server with less than a tenth of its connections free fails before it refuses anyone."""
    with ExitStack() as stack:
        for _ in range(90):
            stack.enter_context(closing(connect(owned.admin, application_name="shop")))
        verdict = look(at_database(owned.address), SERVER[1])
    free = verdict.facts["free"]
    assert isinstance(free, int)
    assert verdict.summary == f"postgres has {free} of 97 connections left"
    assert verdict.expected == "10% of the connections free, and at least 3"
    assert verdict.found == f"{97 - free} of 97 connections in use"


def test_a_clock_that_agrees_passes(owned: Owned) -> None:
    """Clocks within two seconds of each other pass."""
    verdict = look(at_database(owned.address), SERVER[2])
    assert verdict.summary == f"clocks {abs(float(verdict.facts['skew_s'] or 0)):.3f} s apart"


def test_a_clock_that_is_behind_fails(owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that differs by more than two seconds is named, with the way it differs."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 5)
    verdict = look(at_database(owned.address), SERVER[2])
    assert verdict.summary == "postgres's clock is 5.0 s behind this machine's"
    assert verdict.found == "5.0 s behind this machine, the round trip halved"


def blocking(owned: Owned) -> ExitStack:
    """Hold up one session by another, until the stack is closed."""
    owned.execute("create table stock (id int)")
    stack = ExitStack()
    holder = stack.enter_context(closing(connect(owned.admin, autocommit=False, application_name="forgotten")))
    holder.execute("lock table stock")
    waiter = stack.enter_context(closing(connect(owned.address)))
    waiter.pgconn.send_query(b"select count(*) from stock")
    while waiter.pgconn.flush():
        pass
    stack.callback(holder.cancel_safe)
    with closing(connect(owned.admin)) as watcher:
        for _ in range(100):
            row = watcher.execute(
                "select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
            ).fetchone()
            if row is not None and row[0]:
                break
            time.sleep(0.02)
    return stack


def test_no_blocking_transaction_passes(owned: Owned) -> None:
    """A server on which nobody waits for long passes."""
    with blocking(owned):
        verdict = look(at_database(owned.admin), SERVER[3])
    assert verdict.summary == "no transaction older than 60 s blocks another"


def test_an_old_transaction_that_blocks_others_fails(owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten transaction is named with its application, user, age and whom it holds up, and how to end it."""
    monkeypatch.setattr(postgres, "LONGEST_BLOCKING_S", 0)
    with blocking(owned), closing(connect(owned.admin)) as watcher:
        verdict = look(at_database(owned.admin), SERVER[3])
        (pid,) = one(watcher, "select pid from pg_stat_activity where application_name = 'forgotten'")
        (waiting,) = one(watcher, "select pid from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0")
    assert verdict.summary == f"pid {pid} (forgotten, user postgres) holds up 1 other"
    assert verdict.found is not None
    assert verdict.found.startswith(f"pid {pid} (forgotten, user postgres), in a transaction for ")
    assert verdict.found.endswith(f" s, blocks pid {waiting}")
    where = f"postgresql://postgres@{owned.admin.endpoint.address}/{owned.role}"
    assert verdict.remedy == f"psql \"{where}\" -c 'select pg_terminate_backend({pid})'"


def test_a_blocking_transaction_that_may_not_be_seen_is_unknown(owned: Owned) -> None:
    """Where the role may not see how old a blocking transaction is, the grant that is missing is named."""
    with blocking(owned), closing(connect(owned.admin)) as watcher:
        verdict = look(at_database(owned.address), SERVER[3])
        (pid,) = one(watcher, "select pid from pg_stat_activity where application_name = 'forgotten'")
        (waiting,) = one(watcher, "select pid from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0")
    assert verdict.state is State.UNKNOWN
    assert (
        verdict.summary == f"pid {pid} (forgotten, user postgres) blocks pid {waiting},"
        f" and {owned.role} may not see since when"
    )
    where = f"postgresql://postgres@{owned.admin.endpoint.address}/{owned.role}"
    assert verdict.remedy == f'psql "{where}" -c \'grant pg_read_all_stats to "{owned.role}"\''


def test_a_database_that_is_there_passes(owned: Owned) -> None:
    """A database that lets its user in says whose it is."""
    assert look(at_database(owned.address), f"database.exists[{owned.role}]").summary == (
        f"database {owned.role}, owned by {owned.role}"
    )


def test_a_database_that_is_closed_to_its_user_is_unknown(owned: Owned, postgres_server: Postgres) -> None:
    """Without the right to connect nothing can be said of a database but which grant is missing."""
    address = postgres_server.create_database()
    with closing(connect(address)) as connection:
        connection.execute(f'revoke connect on database "{address.database}" from public'.encode())
    closed = DatabaseAddress(owned.address.endpoint, address.database)
    verdict = look(at_database(closed), f"database.exists[{address.database}]")
    postgres_server.drop_database(address.database)
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == f"{owned.role} may not connect to database {address.database} (42501)"
    assert verdict.remedy == (
        f'psql "postgresql://postgres@{closed.endpoint.address}/postgres"'
        f' -c \'grant connect on database "{address.database}" to "{owned.role}"\''
    )


def test_utf8_passes_and_another_encoding_fails(owned: Owned, postgres_server: Postgres) -> None:
    """The encoding of a database is UTF8, or it fails with the way to another one."""
    assert look(at_database(owned.address), f"database.is_utf8[{owned.role}]").summary == f"{owned.role}: encoding UTF8"
    with closing(connect(postgres_server.server.administer())) as connection:
        connection.execute("create database old_shop encoding 'LATIN1' template template0")
    address = DatabaseAddress(postgres_server.endpoint, "old_shop")
    verdict = look(at_database(address), "database.is_utf8[old_shop]")
    postgres_server.drop_database("old_shop")
    assert verdict.summary == "old_shop is encoded in LATIN1"
    assert verdict.found == "encoding LATIN1, which cannot be changed"
    assert (
        verdict.remedy == "dump it, and restore it into a new one: createdb --encoding UTF8 --template template0"
        f" --host 127.0.0.1 --port {address.endpoint.port} old_shop_utf8"
    )


def one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> tuple[object, ...]:
    """Return the only row of a query."""
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row


def test_the_environment_does_not_lead_elsewhere(owned: Owned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The address that was judged is the one that is reached, whatever libpq's variables and service files say."""
    file = tmp_path / "services.conf"
    text = (
        "[production]\nhostaddr=127.0.0.9\nhost=127.0.0.9\ndbname=production\nuser=production\noptions=-c work_mem=64\n"
    )
    file.write_text(text + "port=1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "production")
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.9")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=64")
    with closing(connect(owned.address)) as connection:
        row = connection.execute("select current_database(), current_user, current_setting('work_mem')").fetchone()
        assert connection.info.hostaddr == "127.0.0.1"
    assert row == (owned.address.database, owned.role, "4MB")


def test_a_service_file_that_is_not_there_is_said(owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    """While PGSERVICE names what no file describes libpq connects nowhere at all: the remedy is to unset it."""
    monkeypatch.setenv("PGSERVICE", "nowhere")
    verdict = look(at_database(owned.address), ACCEPTS)
    assert verdict.state is State.FAIL
    assert verdict.remedy == "unset PGSERVICE"
    assert verdict.found is not None
    assert verdict.found.endswith('definition of service "nowhere" not found')


def test_a_mode_of_tls_is_not_weakened(postgres_server: Postgres) -> None:
    """With verify-full a server without TLS is not spoken to, and the remedy names the mode that was asked for."""
    endpoint = replace(
        postgres_server.endpoint, service="postgres", tls=True, tls_mode="verify-full", source="pyproject.toml:12"
    )
    verdict = look(environment(endpoint), ACCEPTS)
    assert verdict.summary == "postgres does not offer TLS"
    assert verdict.remedy == "take sslmode=verify-full out of services.postgres.url in pyproject.toml:12"
