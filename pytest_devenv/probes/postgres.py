"""Whether a PostgreSQL server answers, has room, tells the time, and is not held up by a forgotten transaction."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.clients.postgres import APPLICATION_NAME, DatabaseAddress
from pytest_devenv.probes import commands
from pytest_devenv.probes.asking import asked, asked_server, first_row
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.root import root, root_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.asking import Connection
    from pytest_devenv.settings import Database, Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

LEAST_FREE = 3
LEAST_FREE_SHARE = 0.1
MOST_SKEW_S = 2.0
LONGEST_BLOCKING_S = 60

# What a superuser has in reserve is nothing that an application can count on; the probes' own connections are brief.
# Of other users' sessions an ordinary role sees the database and the application, and not the type.
_CONNECTIONS = f"""
    select current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0),
           (select count(*) from pg_stat_activity
             where datid is not null and coalesce(backend_type, 'client backend') = 'client backend'
               and coalesce(application_name, '') <> '{APPLICATION_NAME}')
"""  # noqa: S608  # a constant of this package

# The age of another user's transaction is null for who may not see it.
_BLOCKERS = """
    select holder.pid, coalesce(nullif(holder.application_name, ''), 'no application name'), holder.usename,
           extract(epoch from now() - holder.xact_start)::float8,
           string_agg(distinct 'pid ' || held.pid, ', '), count(distinct held.pid)
      from pg_stat_activity as held
     cross join lateral unnest(pg_blocking_pids(held.pid)) as blocker(pid)
      join pg_stat_activity as holder on holder.pid = blocker.pid
     where holder.xact_start < now() - make_interval(secs => %s) or holder.xact_start is null
     group by 1, 2, 3, 4
     order by 4 desc nulls last, 1
"""


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of every PostgreSQL service, and of the databases on it."""
    for service in settings.services.values():
        if service.kind is ServiceKind.POSTGRES:
            yield root(settings, service, partial(_accepts_queries, service))
            for name, look in (
                ("postgres.has_free_connections", _has_free_connections),
                ("postgres.tells_the_time", _tells_the_time),
                ("postgres.is_not_blocked", _is_not_blocked),
            ):
                looked = partial(look, service)
                yield Probe(name=name, subject=service.name, look=looked, requires=(root_id(service),), eager=True)
    for database in settings.databases.values():
        server = root_id(settings.service_of(database.name))
        for name, question, required in (
            ("database.exists", _exists, server),
            ("database.is_utf8", _is_utf8, exists_id(database)),
        ):
            asks = partial(question, database)
            yield Probe(name=name, subject=database.name, look=asks, requires=(required,), eager=True)


def exists_id(database: Database) -> str:
    """Return the id of the probe that says whether a database is there."""
    return probe_id("database.exists", database.name)


def _accepts_queries(service: Service, environment: Environment) -> Verdict:
    import psycopg  # noqa: F401  # its import is no part of the server's latency

    began = time.perf_counter()

    def question(connection: Connection, _: DatabaseAddress) -> Verdict:
        (version,) = first_row(connection, "select current_setting('server_version')")
        latency_ms = (time.perf_counter() - began) * 1000
        number = str(version).split(maxsplit=1)[0]
        return passed(f"PostgreSQL {number} accepts queries", latency_ms=latency_ms, version=number)

    return asked_server(environment, service, question, fresh=True)


def _has_free_connections(service: Service, environment: Environment) -> Verdict:
    def question(connection: Connection, address: DatabaseAddress) -> Verdict:
        most, used = first_row(connection, _CONNECTIONS)
        free = most - used
        if free >= max(LEAST_FREE, LEAST_FREE_SHARE * most):
            return passed(f"{free} of {most} connections free", free=free, most=most)
        return failed(
            f"{service.name} has {free} of {most} connections left",
            expected=f"{LEAST_FREE_SHARE:.0%} of the connections free, and at least {LEAST_FREE}",
            found=f"{used} of {most} connections in use",
            where=str(address),
            remedy="see who holds them, and end what is forgotten: "
            + commands.psql(address, commands.WHO_IS_CONNECTED),
            free=free,
            most=most,
        )

    return asked_server(environment, service, question)


def _tells_the_time(service: Service, environment: Environment) -> Verdict:
    def question(connection: Connection, address: DatabaseAddress) -> Verdict:
        before = time.time()
        (theirs,) = first_row(connection, "select extract(epoch from clock_timestamp())::float8")
        skew_s = theirs - (before + time.time()) / 2
        if abs(skew_s) <= MOST_SKEW_S:
            return passed(f"clocks {abs(skew_s):.3f} s apart", skew_s=round(skew_s, 3))
        way = "ahead of" if skew_s > 0 else "behind"
        return failed(
            f"{service.name}'s clock is {abs(skew_s):.1f} s {way} this machine's",
            expected=f"clocks at most {MOST_SKEW_S:g} s apart",
            found=f"{abs(skew_s):.1f} s {way} this machine, the round trip halved",
            where=str(address),
            remedy="set both clocks by NTP (sudo timedatectl set-ntp true); restart a virtual machine that has slept",
            skew_s=round(skew_s, 3),
        )

    return asked_server(environment, service, question)


def _is_not_blocked(service: Service, environment: Environment) -> Verdict:
    def question(connection: Connection, address: DatabaseAddress) -> Verdict:
        rows = connection.execute(_BLOCKERS, (LONGEST_BLOCKING_S,)).fetchall()
        if not rows:
            return passed(f"no transaction older than {LONGEST_BLOCKING_S} s blocks another")
        pid, application, user, age_s, held, count = rows[0]
        who = f"pid {pid} ({application}, user {user})"
        if age_s is None:
            return unknown(
                f"{who} blocks {held}, and {address.endpoint.user} may not see since when",
                where=str(address),
                remedy=commands.psql(address, f'grant pg_read_all_stats to "{address.endpoint.user}"', user="postgres"),
            )
        return failed(
            f"{who} holds up {count} other{'' if count == 1 else 's'}",
            expected=f"no transaction older than {LONGEST_BLOCKING_S} s that blocks others",
            found="; ".join(
                f"pid {pid} ({application}, user {user}), in a transaction for {age_s:.0f} s, blocks {held}"
                for pid, application, user, age_s, held, _ in rows
                if age_s is not None
            ),
            where=str(address),
            remedy=commands.psql(address, f"select pg_terminate_backend({pid})"),
        )

    return asked_server(environment, service, question)


def _exists(database: Database, environment: Environment) -> Verdict:
    def question(connection: Connection) -> Verdict:
        (owner,) = first_row(
            connection, "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        )
        return passed(f"database {database.name}, owned by {owner}", owner=owner)

    return asked(environment, environment.address(database.name), question)


def _is_utf8(database: Database, environment: Environment) -> Verdict:
    address = environment.address(database.name)

    def question(connection: Connection) -> Verdict:
        (encoding,) = first_row(connection, "select current_setting('server_encoding')")
        if encoding == "UTF8":
            return passed(f"{database.name}: encoding UTF8")
        return failed(
            f"{database.name} is encoded in {encoding}",
            expected="encoding UTF8",
            found=f"encoding {encoding}, which cannot be changed",
            where=str(address),
            remedy=f"dump it, and restore it into a new one: createdb --encoding UTF8 --template template0"
            f" --host {address.endpoint.host} --port {address.endpoint.port} {database.name}_utf8",
            encoding=encoding,
        )

    return asked(environment, address, question)
