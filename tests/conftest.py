"""Real servers for the tests: one of each for the whole session, started when a test first needs it."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
from psycopg import sql

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.settings import Settings
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.postgres import PostgresServer, start_postgres
from pytest_devenv.targets.embedded.redis import start_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.endpoint import Endpoint


# A shell that starts the tests in the background has them ignore SIGINT, and every process that they start with them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The time that an example takes says how busy the machine is; and the gate looks at the same examples each time.
hypothesis.settings.register_profile("tests", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("tests")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL and its superuser's endpoint."""

    server: PostgresServer

    @property
    def endpoint(self) -> Endpoint:
        """The superuser's endpoint."""
        return self.server.superuser

    def create_database(self, name: str | None = None) -> DatabaseAddress:
        """Create an empty database, by a random name unless one is given."""
        name = name if name is not None else f"test_{uuid.uuid4().hex[:12]}"
        with connect(self.server.administer()) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return DatabaseAddress(self.endpoint, name)

    def drop_database(self, name: str) -> None:
        """Drop a database, and end whoever is connected to it."""
        with connect(self.server.administer()) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def instance() -> Iterator[instances.Instance]:
    """Give the folder that holds this session's servers; they end with it."""
    settings = Settings(root=Path.cwd(), file=Path.cwd() / "pyproject.toml", name="integration")
    made = instances.create(settings)
    yield made
    made.destroy()


@pytest.fixture(scope="session")
def postgres_server(instance: instances.Instance) -> Postgres:
    """Give a running PostgreSQL."""
    return Postgres(start_postgres("postgres", instance.folder, server_account(), start_s=30))


@pytest.fixture(scope="session")
def redis_server(instance: instances.Instance) -> Endpoint:
    """Give a running server that speaks Redis's protocol, with a password."""
    _, endpoint = start_redis("redis", instance.folder, start_s=30)
    return endpoint


@pytest.fixture
def empty_database(postgres_server: Postgres) -> Iterator[DatabaseAddress]:
    """Give a new, empty database of the superuser, dropped afterwards."""
    address = postgres_server.create_database()
    yield address
    with contextlib.suppress(psycopg.Error):
        postgres_server.drop_database(address.database)
