"""How probes put a question to a database: within a deadline, and with a verdict for each way it can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.probes import commands
from pytest_devenv.verdict import failed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from pytest_devenv.clients.pool import Lent
    from pytest_devenv.settings import Service
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

T = TypeVar("T")


def asked(environment: Environment, address: DatabaseAddress, question: Callable[[Connection], T]) -> T | Verdict:
    """Connect within the settings' deadline, put the question, and return the answer.

    Returns a verdict where there is no answer to be had.

    A statement that runs past the deadline is ended by the server. What the user may not see is `unknown`.
    """
    import psycopg

    try:
        lent = _taken(environment, address)
    except psycopg.OperationalError as error:
        return _refused(environment, address, error)
    return _answer(environment, lent, lambda connection, _: question(connection))


def asked_server(
    environment: Environment,
    service: Service,
    question: Callable[[Connection, DatabaseAddress], Verdict],
    *,
    fresh: bool = False,
) -> Verdict:
    """Put a question about a whole server, in the first of its databases that lets the user in.

    The environment's own databases come first; one that is missing is a fault of its own, not of the server. A `fresh`
    question is put on a connection made now, and so tells whether the server lets the user in.
    """
    import psycopg

    addresses = _databases(environment, service)
    for address in addresses:
        try:
            lent = _taken(environment, address, fresh=fresh)
        except psycopg.OperationalError as error:
            if _is_about_database(error) and address is not addresses[-1]:
                continue
            return _refused(environment, address, error)
        return _answer(environment, lent, question)
    raise AssertionError("every server has databases of its own")


def first_row(connection: Connection, sql: str) -> tuple[Any, ...]:
    """Return the first row of a query that always has one."""
    row = connection.execute(sql.encode()).fetchone()
    if row is None:
        msg = f"no row from {sql}"
        raise AssertionError(msg)
    return row


def _refused(environment: Environment, address: DatabaseAddress, error: psycopg.OperationalError) -> Verdict:
    from pytest_devenv.probes.postgres_refusals import refused

    return refused(environment, address, error)


def _is_about_database(error: psycopg.OperationalError) -> bool:
    from pytest_devenv.probes.postgres_refusals import is_about_database

    return is_about_database(error)


def _databases(environment: Environment, service: Service) -> tuple[DatabaseAddress, ...]:
    own = [name for name, database in environment.settings.databases.items() if database.service == service.name]
    endpoint = environment.endpoints[service.name]
    return tuple(DatabaseAddress(endpoint, name) for name in dict.fromkeys((*own, "postgres", "template1")))


def _taken(environment: Environment, address: DatabaseAddress, *, fresh: bool = False) -> Lent:
    return environment.pool.take(address, deadline_s=environment.settings.deadline_s, fresh=fresh)


def _answer(environment: Environment, lent: Lent, question: Callable[[Connection, DatabaseAddress], T]) -> T | Verdict:
    import psycopg

    address = lent.address
    try:
        with lent as connection:
            return question(connection, address)
    except psycopg.errors.InsufficientPrivilege as error:
        return not_permitted(address, error)
    except psycopg.errors.QueryCanceled:
        deadline_s = environment.settings.deadline_s
        return failed(
            f"{address.endpoint.service} takes longer than {deadline_s:g} s to answer a query",
            expected=f"an answer within {deadline_s:g} s",
            found="the statement was canceled at its deadline (57014)",
            where=str(address),
            remedy=commands.psql(address, "select pid, state, wait_event_type, query from pg_stat_activity"),
        )
    except psycopg.OperationalError:
        if not lent.is_stale:
            raise
    try:
        anew = _taken(environment, address, fresh=True)
    except psycopg.OperationalError as error:
        return _refused(environment, address, error)
    return _answer(environment, anew, question)


def not_permitted(address: DatabaseAddress, error: psycopg.errors.InsufficientPrivilege) -> Verdict:
    """Return the verdict on what the user may not see: what is missing, and how it is granted."""
    said = error.diag.message_primary or "permission denied"
    user = address.endpoint.user
    to = "public" if user is None else f'"{user}"'
    kind, _, name = said.removeprefix("permission denied for ").partition(" ")
    grants = {
        "table": f"grant select on {name} to {to}",
        "view": f"grant select on {name} to {to}",
        "schema": f"grant usage on schema {name} to {to}",
        "function": f"grant execute on function {name} to {to}",
        "database": f"grant connect on database {name} to {to}",
    }
    return unknown(
        f"{user or 'the user'} may not look: {said} (42501)",
        where=str(address),
        remedy=commands.psql(address, grants.get(kind, f"grant pg_read_all_data to {to}"), user="postgres"),
    )
