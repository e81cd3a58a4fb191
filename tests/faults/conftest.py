"""The shop, with an embedded environment of its own, or at the addresses of servers that are up already."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from pytest_devenv.clients.marker import write_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.guard import Origin
from pytest_devenv.migrate import engine_for
from pytest_devenv.secret import Secret
from pytest_devenv.settings import Tier
from pytest_devenv.settings.read import read
from tests.faults.project import PASSWORD, Shop, copied
from tests.faults.servers import Manner, serving
from tests.integration.targets.remains import processes_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.endpoint import Endpoint
    from tests.conftest import Postgres


@pytest.fixture
def state() -> Iterator[Path]:
    """Give a folder for embedded environments that another account may enter, as below pytest's own it may not."""
    folder = Path(tempfile.mkdtemp(prefix="devenv-faults-"))
    folder.chmod(0o711)
    yield folder
    for process in processes_in(folder):
        with contextlib.suppress(Exception):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shop(tmp_path: Path, state: Path) -> Shop:
    """Give a copy of the shop that runs on this machine: the embedded target."""
    return copied(tmp_path / "shop", state, SHOP_PASSWORD=PASSWORD)


@pytest.fixture(scope="session")
def shop_user(postgres_server: Postgres) -> Endpoint:
    """Give the endpoint of the role that owns the shop's database."""
    endpoint = replace(postgres_server.endpoint, user="shop", password=Secret(PASSWORD))
    with connect(postgres_server.server.administer()) as connection:
        connection.execute(sql.SQL("CREATE ROLE shop LOGIN CREATEDB PASSWORD {}").format(sql.Literal(PASSWORD)))
    return endpoint


@pytest.fixture
def database(postgres_server: Postgres, shop_user: Endpoint) -> Iterator[DatabaseAddress]:
    """Give the shop's database, empty; its name is taken from one test to the next."""
    with connect(postgres_server.server.administer()) as connection:
        connection.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        connection.execute("CREATE DATABASE shop OWNER shop")
    yield DatabaseAddress(shop_user, "shop")
    with contextlib.suppress(psycopg.Error):
        postgres_server.drop_database("shop")


@pytest.fixture
def frontend() -> Iterator[str]:
    """Give the URL of a frontend that is well."""
    with serving(Manner.HTML) as url:
        yield url


@pytest.fixture
def backend() -> Iterator[str]:
    """Give the URL of a backend that is well."""
    with serving(Manner.JSON) as url:
        yield url


@pytest.fixture
def shop_at(
    tmp_path: Path, state: Path, database: DatabaseAddress, redis_server: Endpoint, backend: str, frontend: str
) -> Shop:
    """Give a healthy shop at the addresses of running servers, its database migrated."""
    shop = copied(
        tmp_path / "shop",
        state,
        PYTEST_DEVENV_TARGET="addresses",
        PYTEST_DEVENV_POSTGRES_URL=f"postgresql://shop@{database.endpoint.address}",
        PYTEST_DEVENV_REDIS_URL=redis_server.base_url,
        PYTEST_DEVENV_BACKEND_URL=backend,
        PYTEST_DEVENV_FRONTEND_URL=frontend,
        SHOP_PASSWORD=PASSWORD,
        SHOP_REDIS_PASSWORD=redis_server.password.reveal() if redis_server.password else "",
    )
    migrate(shop, database)
    return shop


def migrate(shop: Shop, database: DatabaseAddress) -> None:
    """Mark the shop's database as one for development, and apply its migrations."""
    settings = read(shop.folder / "pyproject.toml", environ={})
    with connect(database) as connection:
        write_marker(connection, Tier.DEVELOPMENT, Origin.CREATED)
    engine_for(settings.databases["shop"], shop.folder).apply(database, tier=Tier.DEVELOPMENT)
