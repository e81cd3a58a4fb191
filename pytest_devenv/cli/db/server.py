"""A server as `db setup` and `db reset` change it: its roles, and whole databases."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.clients.marker import read_identity
from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.errors import DevenvError, GuardError
from pytest_devenv.migrate.session import connected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    from pytest_devenv.guard import Identity

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_MAINTENANCE = "postgres"
_FORCE = 130000
_INHERITED = ("encoding", "datlocprovider", "datcollate", "datctype", "daticulocale", "datlocale")
_PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}
_SHAPE = """
    SELECT pg_catalog.to_jsonb(d), pg_catalog.to_jsonb(t), pg_catalog.pg_encoding_to_char(d.encoding),
        pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_has_role(session_user, d.datdba, 'USAGE'),
        (SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
    FROM pg_catalog.pg_database d, pg_catalog.pg_database t
    WHERE d.datname = %s AND d.oid = %s AND t.datname = 'template1'
"""
_SETTINGS = """
    SELECT CASE WHEN s.setrole = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(s.setrole) END, c.setting
    FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS c(setting) WHERE s.setdatabase = %s
"""
_GRANTS = """
    SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END, a.privilege_type,
        a.is_grantable
    FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a WHERE d.oid = %s AND a.grantee <> d.datdba
"""


@contextmanager
def administering(address: DatabaseAddress, *, deadline_s: float) -> Iterator[Connection]:
    """Open a connection to the server's own database, from which others are made and dropped."""
    with connected(DatabaseAddress(address.endpoint, _MAINTENANCE), deadline_s=deadline_s) as connection:
        yield connection


def create_missing(connection: Connection, address: DatabaseAddress, roles: Iterable[str]) -> tuple[str, ...]:
    """Create the roles and the database that are not there yet; return what was created, the database last."""
    import psycopg
    from psycopg import sql

    created = []
    try:
        for role in roles:
            if not _there(connection, "SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", role):
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
                created.append(f"role {role}")
            if not _there(connection, "SELECT WHERE pg_catalog.pg_has_role(session_user, %s::name, 'MEMBER')", role):
                connection.execute(sql.SQL("GRANT {} TO SESSION_USER").format(sql.Identifier(role)))
        if not _there(connection, "SELECT FROM pg_catalog.pg_database WHERE datname = %s", address.database):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(address.database)))
            created.append(f"database {address.database}")
    except psycopg.errors.InsufficientPrivilege as error:
        role = connection.info.user
        message = (
            f"what {address.database} needs cannot be created\n"
            f"  expected: a role that may create databases and roles\n"
            f"  found: {error.diag.message_primary}, as role {role}\n"
            f"  where: {address}"
        )
        raise DevenvError(
            message, remedy=f"as a superuser: {_alter(connection, role, 'CREATEDB CREATEROLE')}"
        ) from error
    return tuple(created)


def recreate(connection: Connection, address: DatabaseAddress, identity: Identity) -> tuple[str, ...]:
    """Destroy a database, and make it anew with its owner, locale, settings and grants; return what did not come back.

    `identity` is the database that was judged: what this connection finds under its name must be that one.
    """
    from psycopg import sql

    name = sql.Identifier(address.database)
    row = connection.execute(_SHAPE, [address.database, identity.oid]).fetchone()
    if row is None or read_identity(connection).system_identifier != identity.system_identifier:
        message = (
            f"refused to destroy {address.database}: its name leads to another database\n"
            f"  expected: server {identity.system_identifier}, database {identity.oid}\n"
            f"  found: another, through the database {_MAINTENANCE} of the same address\n"
            f"  where: {address}"
        )
        raise GuardError(message, remedy="connect to PostgreSQL itself, without a pooler in between")
    shape, template, encoding, owner, is_owner, may_create = row
    if not (is_owner and may_create):
        role = connection.info.user
        message = (
            f"{address.database} cannot be made anew\n"
            f"  expected: a role that owns it and may create databases\n"
            f"  found: role {role}, and the owner is {owner}\n"
            f"  where: {address}"
        )
        raise DevenvError(message, remedy=f"as a superuser: {_alter(connection, role, 'CREATEDB')}")
    settings = connection.execute(_SETTINGS, [identity.oid]).fetchall()
    grants = None if shape["datacl"] is None else connection.execute(_GRANTS, [identity.oid]).fetchall()
    drop = sql.SQL("DROP DATABASE {}").format(name)
    if connection.info.server_version >= _FORCE:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name)
    connection.execute(drop)
    connection.execute(_create(name, shape, template, encoding, owner))
    return _bring_back(connection, name, settings, grants)


def _create(
    name: psycopg.sql.Identifier, shape: dict[str, Any], template: dict[str, Any], encoding: str, owner: str
) -> psycopg.sql.Composed:
    from psycopg import sql

    parts = [sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(owner))]
    if any(shape.get(key) != template.get(key) for key in _INHERITED):
        parts.append(
            sql.SQL("TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
                sql.Literal(encoding), sql.Literal(shape["datcollate"]), sql.Literal(shape["datctype"])
            )
        )
        provider, option = _PROVIDERS.get(shape.get("datlocprovider", "c"), ("", ""))
        locale = shape.get("datlocale") or shape.get("daticulocale")
        if provider and locale:
            words = sql.SQL("LOCALE_PROVIDER {} {} {}")
            parts.append(words.format(sql.SQL(provider), sql.SQL(option), sql.Literal(locale)))
    return sql.SQL(" ").join(parts)


def _bring_back(
    connection: Connection,
    name: psycopg.sql.Identifier,
    settings: list[tuple[Any, ...]],
    grants: list[tuple[Any, ...]] | None,
) -> tuple[str, ...]:
    import psycopg
    from psycopg import sql

    lost = []
    for role, setting in settings:
        key, _, value = setting.partition("=")
        whose = sql.SQL("DATABASE {}").format(name)
        if role is not None:
            whose = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), name)
        try:
            # A list such as search_path would be quoted as one word: the server itself writes what the session has.
            connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [key, value])
            parts = sql.SQL(".").join(sql.Identifier(part) for part in key.split("."))
            connection.execute(sql.SQL("ALTER {} SET {} FROM CURRENT").format(whose, parts))
        except psycopg.Error as error:
            lost.append(f"the setting {setting} did not come back: {error.diag.message_primary}")
    connection.execute("RESET ALL")
    if grants is None:
        return tuple(lost)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    for grantee, privilege, grantable in grants:
        to = sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee)
        tail = sql.SQL(" WITH GRANT OPTION" if grantable else "")
        words = sql.SQL("GRANT {} ON DATABASE {} TO {}{}")
        try:
            connection.execute(words.format(sql.SQL(privilege), name, to, tail))
        except psycopg.Error as error:
            lost.append(f"{privilege} for {grantee or 'PUBLIC'} did not come back: {error.diag.message_primary}")
    return tuple(lost)


def _there(connection: Connection, query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None


def _alter(connection: Connection, role: str, rights: str) -> str:
    from psycopg import sql

    return sql.SQL("ALTER ROLE {} {};").format(sql.Identifier(role), sql.SQL(rights)).as_string(connection)
