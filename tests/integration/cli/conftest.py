"""The fixtures of the tests of the commands on databases."""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind
from tests.integration.cli.shop import ITEMS, Shop, create_role, give_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Postgres

PASSWORD = "Tr0ub4dor+3/käse"


@pytest.fixture
def shop(tmp_path: Path, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Give a project with an empty database of a role of its own, one pending migration, and the way back."""
    name = f"shop_{uuid.uuid4().hex[:10]}"
    create_role(postgres_server, name, PASSWORD)
    give_database(postgres_server, name, name)
    endpoint = replace(postgres_server.endpoint, user=name, password=Secret(PASSWORD))
    made = Shop(tmp_path, DatabaseAddress(endpoint, name), postgres_server)
    made.write("migrations/1_items.up.sql", ITEMS)
    made.write("migrations/1_items.down.sql", "DROP TABLE items;\n")
    made.configure()
    _stand_in(made, monkeypatch)
    yield made
    postgres_server.drop_database(name)
    with contextlib.suppress(psycopg.Error), connect(postgres_server.server.administer()) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Give a project whose database is nowhere yet: PYTEST_DEVENV_DB_URL says where to look for it."""
    endpoint = Endpoint(
        service="db", kind=ServiceKind.POSTGRES, host="127.0.0.1", port=1, user="shop", password=Secret(PASSWORD)
    )
    made = Shop(tmp_path, DatabaseAddress(endpoint, "shop"), None)
    made.write("migrations/1_items.up.sql", ITEMS)
    made.sow("states")
    made.configure('seeds = "seeds"')
    _stand_in(made, monkeypatch)
    return made


def _stand_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*(each for each in os.environ if each.startswith(("PYTEST_DEVENV", "PG"))), "KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    monkeypatch.chdir(shop.path)


@pytest.fixture
def migrated(shop: Shop) -> Shop:
    """Give the project with its migration applied."""
    assert shop.run("migrate").exit_code == 0
    return shop


@pytest.fixture
def sown(shop: Shop) -> Shop:
    """Give the project with one seed of each layer, its migration applied and none of the seeds."""
    shop.sow("states")
    shop.sow("people", layer="development", number=20)
    shop.sow("cases", layer="test", number=30)
    shop.configure('seeds = "seeds"')
    assert shop.run("migrate").exit_code == 0
    assert shop.run("seed-sync").exit_code == 0
    return shop
