"""Small example projects, each with its own database on the session's servers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

# pytester forgets every module that is imported while it runs, so what lives on is imported before.
import pytest_devenv.migrate.sqlx
import pytest_devenv.settings.load  # noqa: F401
from pytest_devenv.migrate import engine_for
from pytest_devenv.settings import Tier
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.endpoint import Endpoint
    from tests.conftest import Postgres

CREATE_ITEMS = "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);\n"


@dataclass(frozen=True, slots=True)
class Project:
    """An example project, `shop`: one PostgreSQL with one database, one redis, by their addresses."""

    pytester: pytest.Pytester
    database: DatabaseAddress
    redis: Endpoint

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.pytester.path

    def configure(self, more: str = "", *, top: str = 'target = "addresses"') -> None:
        """Write its settings; `more` are tables behind the usual ones, `top` keys of the first."""
        (self.path / "pyproject.toml").write_text(
            f"""
[tool.pytest-devenv]
name = "shop"
{top}

[tool.pytest-devenv.services.db]
kind = "postgres"
url = "{self.database.endpoint.base_url}"
user = "{self.database.endpoint.user}"
password = {{ env = "SHOP_PASSWORD" }}

[tool.pytest-devenv.services.cache]
kind = "redis"
url = "{self.redis.base_url}"
password = {{ env = "SHOP_CACHE_PASSWORD" }}

[tool.pytest-devenv.databases.{self.database.database}]
service = "db"
migrations = {{ engine = "sqlx", path = "migrations" }}
{more}
"""
        )

    def run(self, *words: str) -> pytest.RunResult:
        """Run pytest on it in a process of its own."""
        return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *words, timeout=180)

    def report(self, *words: str) -> dict[str, Any]:
        """Run the health checks and return the JSON report."""
        self.run("-m", "health", "--devenv-report=report.json", *words)
        found: dict[str, Any] = json.loads((self.path / "report.json").read_text())
        return found


@pytest.fixture
def project(
    pytester: pytest.Pytester,
    postgres_server: Postgres,
    redis_server: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Project]:
    """Give a configured project that is healthy but for its pending migration."""
    database = postgres_server.create_database()
    assert database.endpoint.password is not None
    assert redis_server.password is not None
    monkeypatch.setenv("SHOP_PASSWORD", database.endpoint.password.reveal())
    monkeypatch.setenv("SHOP_CACHE_PASSWORD", redis_server.password.reveal())
    for variable in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)
    made = Project(pytester, database, redis_server)
    (made.path / "migrations").mkdir()
    (made.path / "migrations" / "1_items.sql").write_text(CREATE_ITEMS)
    made.configure()
    yield made
    postgres_server.drop_database(database.database)


@pytest.fixture
def healthy(project: Project) -> Project:
    """Give a project whose environment is healthy."""
    settings = read(project.path / "pyproject.toml")
    engine = engine_for(settings.databases[project.database.database], settings.root)
    engine.apply(project.database, tier=Tier.TEST)
    return project
