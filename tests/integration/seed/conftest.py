"""The fixtures of the tests of seeds on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.marker import write_marker
from pytest_devenv.clients.postgres import connect
from pytest_devenv.guard import Origin
from pytest_devenv.settings import Tier
from tests.integration.seed.bench import TABLES, Bench
from tests.unit.seed.workshop import Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress


@pytest.fixture
def bench(empty_database: DatabaseAddress, tmp_path: Path) -> Bench:
    """Give an empty folder of seeds and a marked database with the tables of `bench.py`, empty."""
    with connect(empty_database) as connection:
        write_marker(connection, Tier.TEST, Origin.CREATED)
        connection.execute(TABLES)
    folder = tmp_path / "seeds"
    folder.mkdir()
    return Bench(Workshop(folder), empty_database)
