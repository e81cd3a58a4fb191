"""What a new server holds before anyone connects: the role of its service, its databases, each marked as ours."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.clients.marker import write_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.guard import Origin
from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Database, Service, Settings
    from pytest_devenv.targets.embedded.postgres import PostgresServer


def provision(server: PostgresServer, service: Service, settings: Settings, environ: Mapping[str, str]) -> Endpoint:
    """Create the service's role, the roles that its databases name, and the databases; return the role's endpoint.

    The role may create databases, as a clone for one test or a scratch database is made by it, and is no superuser.
    Its password is the environment variable that the settings name, else a new one.
    """
    databases = [database for database in settings.databases.values() if database.service == service.name]
    endpoint = server.superuser
    with connect(server.administer()) as connection:
        if service.user is not None and service.user != endpoint.user:
            endpoint = replace(endpoint, user=service.user, password=_password(service, environ))
            _create_role(connection, endpoint)
        for role in dict.fromkeys(role for database in databases for role in database.roles):
            _create_plain_role(connection, role, member=endpoint.user)
        for database in databases:
            _create_database(connection, database, owner=endpoint.user)
    for database in databases:
        with connect(DatabaseAddress(endpoint, database.name)) as connection:
            write_marker(connection, settings.environment, Origin.CREATED)
    return endpoint


def _password(service: Service, environ: Mapping[str, str]) -> Secret:
    named = None if service.password is None else service.password.env
    given = None if named is None else environ.get(named)
    return Secret(given if given is not None else secrets.token_urlsafe(16))


def _create_role(connection: psycopg.Connection[tuple[object, ...]], endpoint: Endpoint) -> None:
    from psycopg import sql

    if endpoint.user is None or endpoint.password is None:
        return
    # A password in SQL text would stand in the server's log when the statement fails: send its verifier.
    verifier = connection.pgconn.encrypt_password(
        endpoint.password.reveal().encode(), endpoint.user.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
            sql.Identifier(endpoint.user), sql.Literal(verifier.decode())
        )
    )


def _create_plain_role(connection: psycopg.Connection[tuple[object, ...]], role: str, *, member: str | None) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    if member is not None:
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))


def _create_database(
    connection: psycopg.Connection[tuple[object, ...]], database: Database, *, owner: str | None
) -> None:
    from psycopg import sql

    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database.name))
    if owner is not None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database.name), sql.Identifier(owner))
    connection.execute(statement)
