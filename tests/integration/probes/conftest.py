"""Roles and databases that one test breaks, and that are gone afterwards."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Postgres

PASSWORD = "open-sesame-7"


@dataclass(frozen=True, slots=True)
class Owned:
    """A database and the ordinary role that owns it."""

    address: DatabaseAddress
    admin: DatabaseAddress

    @property
    def role(self) -> str:
        """The role's name."""
        assert self.address.endpoint.user is not None
        return self.address.endpoint.user

    def execute(self, *statements: str, as_admin: bool = False) -> None:
        """Run statements in the database."""
        with closing(connect(self.admin if as_admin else self.address)) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture
def owned(postgres_server: Postgres) -> Iterator[Owned]:
    """Give a new database whose owner is an ordinary role that may create databases."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    with closing(connect(postgres_server.server.administer())) as connection:
        connection.execute(
            sql.SQL("create role {} login createdb password {}").format(sql.Identifier(name), sql.Literal(PASSWORD))
        )
        connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(name)))
    endpoint = replace(postgres_server.endpoint, user=name, password=Secret(PASSWORD))
    yield Owned(DatabaseAddress(endpoint, name), DatabaseAddress(postgres_server.endpoint, name))
    postgres_server.drop_database(name)
    with closing(connect(postgres_server.server.administer())) as connection:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


@pytest.fixture
def databases_named(postgres_server: Postgres) -> Callable[[str], set[str]]:
    """Give a function that lists the server's databases with a prefix."""

    def listed(prefix: str) -> set[str]:
        with closing(connect(postgres_server.server.administer())) as connection:
            rows = connection.execute("select datname from pg_database where starts_with(datname, %s)", (prefix,))
            return {name for (name,) in rows}

    return listed


@pytest.fixture
def postgres_drop(postgres_server: Postgres) -> Callable[[str], None]:
    """Give a function that drops a database of the server."""
    return postgres_server.drop_database
