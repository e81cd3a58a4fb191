"""Hostile names of databases, schemas and users: they round-trip."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.settings import Tier
from tests.integration.migrate.sandbox import create_role, engine, fill, query

if TYPE_CHECKING:
    from tests.conftest import Postgres

_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_NAMES = st.text(_LETTERS, min_size=1, max_size=15)
_SLOWLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(name=_NAMES)
@_SLOWLY
def test_a_database_may_be_called_anything(postgres_server: Postgres, name: str) -> None:
    """Marker, lock, history and status work whatever the database is called."""
    name = f"{name}{uuid.uuid4().hex[:8]}"
    address = postgres_server.create_database(name)
    try:
        with tempfile.TemporaryDirectory() as made:
            fill(Path(made), {"1_a.sql": "CREATE TABLE a ()"})
            engine(Path(made)).apply(address, tier=Tier.TEST)
            assert engine(Path(made)).status(address).clean
    finally:
        postgres_server.drop_database(name)


@given(schema=_NAMES, user=_NAMES)
@_SLOWLY
def test_schemas_and_users_may_be_called_anything(empty_database: DatabaseAddress, schema: str, user: str) -> None:
    """The history is found in a schema of any name, by a user of any name."""
    schema, user = f"{schema}{uuid.uuid4().hex[:8]}", f"{user}{uuid.uuid4().hex[:8]}"
    own = create_role(empty_database, user, "p@ss 'word\"")
    with connect(empty_database) as connection:
        connection.execute(
            sql.SQL(
                "CREATE SCHEMA {schema} AUTHORIZATION {user}; GRANT CREATE ON DATABASE {database} TO {user};"
                "DROP SCHEMA IF EXISTS pytest_devenv CASCADE; ALTER ROLE {user} SET search_path = {schema}"
            ).format(
                schema=sql.Identifier(schema),
                user=sql.Identifier(user),
                database=sql.Identifier(empty_database.database),
            )
        )
    try:
        with tempfile.TemporaryDirectory() as made:
            fill(Path(made), {"1_a.sql": "CREATE TABLE a ()"})
            engine(Path(made)).apply(own, tier=Tier.TEST)
            assert engine(Path(made)).status(own).clean
        assert query(empty_database, "SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'a'") == [
            (schema, user)
        ]
    finally:
        with connect(empty_database) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(sql.Identifier(user)))


@pytest.mark.parametrize("name", ["a.b", "UPPER", "with space", "--", "'; DROP TABLE a; --", '"', "%s", "{}", "$$"])
def test_names_that_hurt_elsewhere_do_not_hurt_here(postgres_server: Postgres, tmp_path: Path, name: str) -> None:
    """Quotes, comments, placeholders and format strings are but letters."""
    address = postgres_server.create_database(name)
    try:
        fill(tmp_path, {"1_a.sql": "CREATE TABLE a ()"})
        engine(tmp_path).apply(address, tier=Tier.TEST)
        assert engine(tmp_path).status(address).clean
    finally:
        postgres_server.drop_database(name)
