"""What reading a file gives."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.settings import (
    Budget,
    Database,
    Format,
    Loop,
    MigrationEngine,
    Migrations,
    Observation,
    PasswordSource,
    Service,
    ServiceKind,
    TargetName,
    Tier,
)
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.settings.conftest import Read

WHOLE = """\
name = "shop"
environment = "test"
target = "embedded"
namespace = "shop-dev"
contexts = ["kind-*"]
required_secrets = ["database-url"]
deadline_s = "2m"
start_s = 12.5

[services.db]
kind = "postgres"
workload = "statefulset/db"
local_port = 15432
user = "shop"
password = { secret = "db", key = "password", env = "DB_PASSWORD" }

[services.migration]
kind = "job"
requires = ["db"]
migrates = ["shop"]

[services.web]
kind = "http"
port = 8000
requires = ["db", "migration"]
health = "/health"
status = 204
body = "json"
contains = "ok"
budget_ms = "1.5s"
command = ["{python}", "-m", "shop", "--port", "{port}", "--port", "{port}"]
env = { DATABASE_URL = "{database.shop.url}", PEER = "{db.host}:{db.port}" }

[databases.shop]
service = "db"
migrations = { engine = "bun", path = "migrations", table = "public.history", strict = true }
seeds = "seeds"
roles = ["shop"]
required_tables = ["users", "public.orders"]
required_columns = ["users.email"]
required_indexes = ["users_email"]
required_views = ["open_orders"]
required_policies = ["users.own rows only"]
verify = ["select 1"]

[loops.page]
edit = "page.html"
observe = { service = "web", path = "/page" }
budget_s = { detect = "500ms" }
"""


@pytest.fixture
def folders(tmp_path: Path) -> None:
    """Make the folders and the file that WHOLE names."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "seeds").mkdir()
    (tmp_path / "page.html").touch()


@pytest.mark.usefixtures("folders")
def test_every_key_becomes_its_value(settings_of: Read, tmp_path: Path) -> None:
    """A file that uses every key gives exactly the values it says."""
    settings = settings_of(WHOLE)

    assert (settings.root, settings.file) == (tmp_path, tmp_path / "pytest-devenv.toml")
    assert (settings.name, settings.environment, settings.target) == ("shop", Tier.TEST, TargetName.EMBEDDED)
    assert (settings.namespace, settings.contexts) == ("shop-dev", ("kind-*",))
    assert (settings.required_secrets, settings.deadline_s, settings.start_s) == (("database-url",), 120.0, 12.5)
    assert dict(settings.services) == {
        "db": Service(
            name="db",
            kind=ServiceKind.POSTGRES,
            workload="statefulset/db",
            port=5432,
            local_port=15432,
            user="shop",
            password=PasswordSource(secret="db", key="password", env="DB_PASSWORD"),
        ),
        "migration": Service(name="migration", kind=ServiceKind.JOB, requires=("db",), migrates=("shop",)),
        "web": Service(
            name="web",
            kind=ServiceKind.HTTP,
            port=8000,
            requires=("db", "migration"),
            health="/health",
            status=204,
            body=Format.JSON,
            contains="ok",
            budget_ms=1500.0,
            command=("{python}", "-m", "shop", "--port", "{port}", "--port", "{port}"),
            env={"DATABASE_URL": "{database.shop.url}", "PEER": "{db.host}:{db.port}"},
        ),
    }
    assert dict(settings.databases) == {
        "shop": Database(
            name="shop",
            service="db",
            migrations=Migrations(engine=MigrationEngine.BUN, path="migrations", table="public.history", strict=True),
            seeds="seeds",
            roles=("shop",),
            required_tables=("users", "public.orders"),
            required_columns=("users.email",),
            required_indexes=("users_email",),
            required_views=("open_orders",),
            required_policies=("users.own rows only",),
            verify=("select 1",),
        )
    }
    assert dict(settings.loops) == {
        "page": Loop(
            name="page",
            edit="page.html",
            observe=Observation(service="web", path="/page"),
            budget_s=Budget(detect=0.5),
        )
    }
    assert settings.service_of("shop") is settings.services["db"]


def test_the_table_of_a_pyproject_is_read_alike(tmp_path: Path) -> None:
    """What stands around the table in a pyproject.toml does not matter, and lines count in the whole file."""
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\nname = "p"\n\n[tool.pytest-devenv]\nname = "shop"\n[tool.other]\nname = "o"\n')

    settings = read(file, environ={})

    assert settings.name == "shop"
    assert settings.sources["name"] == "pyproject.toml:5"


@pytest.mark.usefixtures("folders")
def test_settings_are_frozen_through_and_through(settings_of: Read) -> None:
    """No part of the tree can be changed, and its parts can be keys of a dict."""
    settings = settings_of(WHOLE)

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.services["x"] = settings.services["db"]  # type: ignore[index]
    with pytest.raises(TypeError):
        settings.services["web"].env["x"] = "y"  # type: ignore[index]
    with pytest.raises(TypeError):
        settings.sources["x"] = "y"  # type: ignore[index]
    assert len({settings, *settings.services.values(), *settings.databases.values(), *settings.loops.values()}) == 6


@pytest.mark.parametrize(("kind", "port"), [("postgres", 5432), ("redis", 6379), ("http", 80), ("job", None)], ids=str)
def test_a_port_that_is_not_given_is_the_usual_one(settings_of: Read, kind: str, port: int | None) -> None:
    """Each kind of service listens at its usual port, and claims none on this machine."""
    service = settings_of(f'name = "x"\nservices.a.kind = "{kind}"\n').services["a"]

    assert (service.port, service.local_port) == (port, None)


@pytest.mark.usefixtures("folders")
def test_every_value_says_where_it_came_from(settings_of: Read) -> None:
    """A source is the option, the variable, the line of the file, or the default."""
    sources = settings_of(
        WHOLE,
        environ={"PYTEST_DEVENV_DB_URL": "colleague:5432", "PYTEST_DEVENV_DEADLINE": "3"},
        overrides={"target": ("addresses", "--devenv-target")},
    ).sources

    assert sources["target"] == "--devenv-target"
    assert sources["deadline_s"] == "environment PYTEST_DEVENV_DEADLINE"
    assert sources["services.db.url"] == "environment PYTEST_DEVENV_DB_URL"
    assert sources["name"] == "pytest-devenv.toml:1"
    assert sources["services.db.password.env"] == "pytest-devenv.toml:15"
    assert sources["services.web.env.PEER"] == "pytest-devenv.toml:32"
    assert sources["services.db.port"] == "default"
    assert sources["loops.page.budget_s.detect"] == "pytest-devenv.toml:49"
    assert sources["loops.page.budget_s.total"] == "default"
    assert "services.migration.port" not in sources


MINIMAL = 'name = "x"\ntarget = "embedded"\n'


@pytest.mark.parametrize(
    ("overrides", "environ", "text", "value", "source"),
    [
        ({"target": ("cluster", "--devenv-target")}, "addresses", MINIMAL, "cluster", "--devenv-target"),
        ({}, "addresses", MINIMAL, "addresses", "environment PYTEST_DEVENV_TARGET"),
        ({}, None, MINIMAL, "embedded", "pytest-devenv.toml:2"),
        ({}, None, 'name = "x"\n', "auto", "default"),
    ],
    ids=["command line", "environment", "file", "default"],
)
def test_precedence(  # one parameter for each source, and what comes of them
    settings_of: Read,
    overrides: dict[str, tuple[object, str]],
    environ: str | None,
    text: str,
    value: str,
    source: str,
) -> None:
    """The command line goes before the environment, that before the file, that before the default."""
    given = {} if environ is None else {"PYTEST_DEVENV_TARGET": environ}
    settings = settings_of(text, overrides=overrides, environ=given)

    assert (settings.target, settings.sources["target"]) == (value, source)


@pytest.mark.parametrize(
    ("given", "tier"),
    [("dev", Tier.DEVELOPMENT), ("testing", Tier.TEST), ("prod", Tier.PRODUCTION), ("stage", Tier.STAGING)],
)
def test_environments_have_short_names(settings_of: Read, given: str, tier: Tier) -> None:
    """An alias stands for its environment, in the file as on the command line."""
    assert settings_of(f'name = "x"\nenvironment = "{given}"\n').environment is tier
    assert settings_of('name = "x"\n', overrides={"environment": (given, "--devenv-environment")}).environment is tier


def test_an_address_needs_no_scheme(settings_of: Read) -> None:
    """`host:port` becomes a URL of the service's kind."""
    text = """
        name = "x"
        services.db = { kind = "postgres", url = "db:5433" }
        services.cache = { kind = "redis", url = "[::1]:6380" }
        services.my-web = { kind = "http" }
    """
    services = settings_of(text, environ={"PYTEST_DEVENV_MY_WEB_URL": "web:81"}).services

    assert [each.url for each in services.values()] == ["postgresql://db:5433", "redis://[::1]:6380", "http://web:81"]


def test_a_password_from_the_environment_is_in_no_repr(settings_of: Read) -> None:
    """A traceback that prints the settings prints no URL with a password, and no variable of a service."""
    text = 'name = "x"\nservices.db.kind = "postgres"\nservices.a = { kind = "http", env.TOKEN = "hunter2" }\n'
    settings = settings_of(text, environ={"PYTEST_DEVENV_DB_URL": "postgres://a:hunter2@db"})

    assert settings.services["db"].url == "postgres://a:hunter2@db"
    assert "hunter2" not in repr(settings)


def test_a_loop_whose_file_is_not_here_is_read(settings_of: Read) -> None:
    """An image holds the settings and not every file that they name: only a loop that is timed needs its own."""
    settings = settings_of(
        'name = "x"\nservices.w.kind = "http"\nloops.l = { edit = "app/page.html", observe.service = "w" }\n'
    )

    assert settings.loops["l"].edit == "app/page.html"
