"""The marker in a real database: what gets one, what carries one, and what it opens."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from pytest_devenv.clients.marker import (
    adopt,
    mark_if_empty,
    read_contents,
    read_identity,
    read_marker,
    read_own_marker,
    require_changeable,
    write_marker,
)
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.errors import GuardError
from pytest_devenv.guard import Origin
from pytest_devenv.settings import Tier
from tests.integration.migrate.sandbox import create_role, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Postgres


@pytest.fixture
def role(empty_database: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """Give the empty database as an ordinary role reaches it."""
    name = f"role_{uuid.uuid4().hex[:8]}"
    yield create_role(empty_database, name, "open sesame")
    with connect(empty_database) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def test_the_identity_is_what_the_server_says(empty_database: DatabaseAddress) -> None:
    """Name, OID and system identifier come from the server, and a new database is empty."""
    with connect(empty_database) as connection:
        identity = read_identity(connection)
    ((oid, system),) = query(
        empty_database,
        "SELECT d.oid, s.system_identifier FROM pg_database d, pg_control_system() s"
        " WHERE datname = current_database()",
    )
    assert (identity.database, identity.oid, identity.system_identifier) == (empty_database.database, oid, system)
    assert identity.is_empty


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t ()",
        "CREATE VIEW v AS SELECT 1 AS one",
        "CREATE SEQUENCE s",
        "CREATE TYPE e AS ENUM ('a')",
        "CREATE DOMAIN d AS int",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT lo_create(0)",
        "CREATE SCHEMA deep; CREATE TABLE deep.t ()",
        'CREATE SCHEMA "pgxyz"; CREATE TABLE "pgxyz".t ()',
    ],
)
def test_whatever_a_user_made_is_not_nothing(empty_database: DatabaseAddress, statement: str) -> None:
    """A database with any object of a user's is not empty, and not marked when it is filled."""
    query(empty_database, statement)
    with connect(empty_database) as connection:
        assert not read_identity(connection).is_empty
        assert mark_if_empty(connection, Tier.DEVELOPMENT) is None
        with pytest.raises(GuardError, match="no marker, in a database that holds data"):
            require_changeable(connection, Tier.DEVELOPMENT, empty_database, fill=True)


def test_extensions_alone_leave_a_database_empty(empty_database: DatabaseAddress) -> None:
    """What an extension brings is nobody's data."""
    query(empty_database, "CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION pg_stat_statements")
    with connect(empty_database) as connection:
        assert read_identity(connection).is_empty


def test_reading_changes_nothing(empty_database: DatabaseAddress) -> None:
    """Looking for a marker creates no schema, and a change of an unmarked database is refused, empty or not."""
    with connect(empty_database) as connection:
        assert read_marker(connection) is None
        with pytest.raises(GuardError, match="no marker, in an empty database"):
            require_changeable(connection, Tier.TEST, empty_database)
    assert query(empty_database, "SELECT 1 FROM pg_namespace WHERE nspname = 'pytest_devenv'") == []


def test_filling_an_empty_database_marks_it_for_good(empty_database: DatabaseAddress) -> None:
    """Once marked it stays so when it holds data, and the marker says by whom and how."""
    with connect(empty_database) as connection:
        marker = require_changeable(connection, Tier.DEVELOPMENT, empty_database, fill=True)
        connection.execute("CREATE TABLE t ()")
        assert require_changeable(connection, Tier.DEVELOPMENT, empty_database) == marker
    assert (marker.tier, marker.origin) == (Tier.DEVELOPMENT, Origin.FILLED)
    assert marker.marked_by == empty_database.endpoint.user


@pytest.mark.parametrize("tier", [Tier.PRODUCTION, Tier.STAGING])
def test_production_leaves_no_trace(empty_database: DatabaseAddress, tier: Tier) -> None:
    """Neither filling nor adopting marks a production database."""
    with connect(empty_database) as connection:
        with pytest.raises(GuardError):
            require_changeable(connection, tier, empty_database, fill=True)
        with pytest.raises(GuardError):
            adopt(connection, tier, confirm=empty_database.database)
        assert read_marker(connection) is None


def test_adoption_needs_the_name(empty_database: DatabaseAddress) -> None:
    """A database that holds data is opened by its name, repeated."""
    query(empty_database, "CREATE TABLE t AS SELECT generate_series(1, 10); ANALYZE t")
    with connect(empty_database) as connection:
        contents = read_contents(connection)
        assert (contents.tables, contents.rows, contents.largest) == (1, 10, ("public.t",))
        with pytest.raises(GuardError, match="its name was not confirmed"):
            adopt(connection, Tier.DEVELOPMENT, confirm="something else")
        marker = adopt(connection, Tier.DEVELOPMENT, confirm=empty_database.database)
        assert marker.origin is Origin.ADOPTED
        assert require_changeable(connection, Tier.DEVELOPMENT, empty_database) == marker


def test_a_clone_is_closed_until_its_marker_is_rewritten(
    postgres_server: Postgres, empty_database: DatabaseAddress
) -> None:
    """The row that a template brings along opens nothing; whoever made the clone rewrites it."""
    with connect(empty_database) as connection:
        require_changeable(connection, Tier.TEST, empty_database, fill=True)
        connection.execute("CREATE TABLE t ()")
    clone = DatabaseAddress(empty_database.endpoint, f"{empty_database.database}_clone")
    with connect(postgres_server.server.administer()) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(clone.database), sql.Identifier(empty_database.database)
            )
        )
    try:
        with connect(clone) as connection:
            with pytest.raises(GuardError, match="its marker was written for another database"):
                require_changeable(connection, Tier.TEST, clone)
            assert read_own_marker(connection) is None
            written = write_marker(connection, Tier.TEST, Origin.CLONED)
            assert written.origin is Origin.CLONED
            assert read_own_marker(connection) == written
            require_changeable(connection, Tier.TEST, clone)
    finally:
        postgres_server.drop_database(clone.database)


def test_a_role_that_may_not_know_the_server_is_told_so(role: DatabaseAddress, empty_database: DatabaseAddress) -> None:
    """Without pg_control_system nothing is guessed: the message names the grant that is missing."""
    query(empty_database, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with connect(empty_database) as connection:
        write_marker(connection, Tier.TEST, Origin.CREATED)
        connection.execute("GRANT USAGE ON SCHEMA pytest_devenv TO PUBLIC")
        connection.execute("GRANT SELECT ON pytest_devenv.marker TO PUBLIC")
    with connect(role) as connection:
        with pytest.raises(GuardError) as own, connection.transaction():
            read_own_marker(connection)
        with pytest.raises(GuardError) as caught:
            read_identity(connection)
    assert str(own.value) == str(caught.value)
    assert str(caught.value) == (
        f"refused: cannot tell which server {role.database} is on\n"
        f"  expected: a role that may call pg_control_system()\n"
        f"  found: permission denied for function pg_control_system, as role {role.endpoint.user}\n"
        f"  where: {role}\n"
        f"  remedy: as a superuser, in this database: GRANT EXECUTE ON FUNCTION"
        f' pg_catalog.pg_control_system() TO "{role.endpoint.user}";'
    )


def test_a_role_that_may_not_write_is_told_so(role: DatabaseAddress) -> None:
    """A role that cannot create the marker's schema is named, and its password is not."""
    with connect(role) as connection, pytest.raises(GuardError) as caught:
        write_marker(connection, Tier.TEST, Origin.FILLED)
    assert f"as role {role.endpoint.user}" in str(caught.value)
    assert "remedy: connect as the database's owner" in str(caught.value)
    assert "open sesame" not in str(caught.value)


def test_a_role_that_may_not_read_the_marker_is_told_so(role: DatabaseAddress, empty_database: DatabaseAddress) -> None:
    """A marker that cannot be read is not taken for one that is not there."""
    with connect(empty_database) as connection:
        write_marker(connection, Tier.TEST, Origin.CREATED)
    with connect(role) as connection, pytest.raises(GuardError, match=r"the marker of \w+ cannot be read"):
        read_marker(connection)
