"""`pytest-devenv init`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from pytest_devenv.cli import main
from pytest_devenv.settings import TargetName
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from pathlib import Path

MANIFESTS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop-dev}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  template:
    spec:
      containers:
      - image: postgres:16
        ports: [{containerPort: 5432}]
        env:
        - {name: POSTGRES_USER, value: shop}
        - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: db.login, key: password}}}
---
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    template:
      metadata: {labels: {app: web}}
      spec:
        containers:
        - image: shop/web
          ports: [{containerPort: 8000}]
          readinessProbe: {httpGet: {path: /healthz, port: 8000}}
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec: {template: {spec: {containers: [{image: shop/worker}]}}}
"""
TILTFILE = """
allow_k8s_contexts('kind-shop')
k8s_resource('web', port_forwards=['9000:9000', '8080:80'], resource_deps=['db', 'migrate', 'unknown'])
k8s_resource('db', port_forwards='15432:5432', resource_deps=['web'])
"""
WRITTEN = """\
[tool.pytest-devenv]
name = "my-shop"
environment = "development"  # development, test, staging, production: only the first two are ever changed
target = "cluster"           # auto, cluster, embedded (processes of this machine), addresses (servers that are there)
namespace = "shop-dev"
contexts = ["kind-shop"]  # nothing is read from any other kube context
required_secrets = ["db.login"]  # names only, never values

[tool.pytest-devenv.services.db]  # k8s/all.yaml
kind = "postgres"
workload = "statefulset/db"
port = 5432
local_port = 15432
user = "shop"
password = { secret = "db.login", key = "password", env = "POSTGRES_PASSWORD" }  # where to find it, never the value

[tool.pytest-devenv.services.web]  # k8s/all.yaml
kind = "http"
workload = "deployment/web"
port = 80
local_port = 8080
requires = ["db", "migrate"]
health = "/healthz"
# budget_ms = 250
# command = ["{python}", "-m", "…", "--port", "{port}"]  # how the embedded target runs it
# env = { DATABASE_URL = "{database.….url}" }

[tool.pytest-devenv.services.migrate]  # k8s/all.yaml
kind = "job"
workload = "job/migrate"
requires = ["db"]

[tool.pytest-devenv.databases.shop]
service = "db"
migrations = { engine = "sqlx", path = "migrations" }
# required_tables = []
# verify = []  # queries that only read, and have to answer
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with manifests, a Tiltfile, a .env and migrations, and work in it."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "my.shop"')
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "all.yaml").write_text(MANIFESTS)
    (tmp_path / "k8s" / "chart.yaml").write_text("apiVersion: {{ .Values.x }}\nkind: {{ .y }}\n")
    (tmp_path / "Tiltfile").write_text(TILTFILE)
    (tmp_path / ".env").write_text("# local\nexport DATABASE_URL='postgres://shop:hunter2@localhost/shop'\n")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "20240101000000_users.up.sql").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder with a name, and work in it."""
    folder = tmp_path / "my project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    """Run `pytest-devenv init` with arguments."""
    return CliRunner().invoke(main, ["init", *arguments])


@pytest.mark.usefixtures("project")
def test_the_table_tells_what_the_project_says() -> None:
    """Manifests, Tiltfile, .env and migrations make one table, with comments and without a secret."""
    result = run()

    assert result.exit_code == 0
    assert (
        result.stdout
        == (
            "# The development environment, as pytest-devenv validates it: pytest -m health\n"
            "# `pytest-devenv config` prints what is in force; its docs/configuration.md describes every key.\n"
            "# Note: k8s/chart.yaml was passed over: it is no plain YAML (a template?)\n"
        )
        + WRITTEN
    )
    assert "hunter2" not in result.stdout


def test_printing_writes_nothing(project: Path) -> None:
    """Without --write, the file stays as it is."""
    run("--print")

    assert (project / "pyproject.toml").read_text() == '[project]\nname = "my.shop"'


def test_writing_adds_the_table_and_keeps_the_rest(project: Path) -> None:
    """The table goes to the end of pyproject.toml, and what it says can be read."""
    result = run("--write")

    file = project / "pyproject.toml"
    assert result.exit_code == 0
    assert result.stderr == f"wrote [tool.pytest-devenv] to {file}\nnext: read it over, then run pytest -m health\n"
    assert file.read_text().startswith('[project]\nname = "my.shop"\n\n# The development environment')
    assert list(read(file, environ={}).services) == ["db", "web", "migrate"]


def test_the_line_endings_of_the_file_are_kept(project: Path) -> None:
    """A file with CRLF gets no line without."""
    file = project / "pyproject.toml"
    file.write_bytes(b'[project]\r\nname = "x"\r\n')
    run("--write")

    assert file.read_bytes().count(b"\n") == file.read_bytes().count(b"\r\n")


@pytest.mark.parametrize("arguments", [["--write"], ["--write", "--force"]])
def test_a_table_that_is_there_is_never_changed(project: Path, arguments: list[str]) -> None:
    """Not even --force touches it."""
    file = project / "pyproject.toml"
    file.write_text('[tool.pytest-devenv]\nname = "x"\n')

    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stderr == (
        f"expected: no configuration of an environment yet\n  found: one\n  where: {file}\n  remedy: edit it\n"
    )
    assert file.read_text() == '[tool.pytest-devenv]\nname = "x"\n'


def test_a_second_environment_below_a_first_needs_force(empty: Path) -> None:
    """A table above is found first; --force writes another one here."""
    (empty.parent / "pytest-devenv.toml").write_text('name = "x"\n')

    refused = run("--write")
    assert refused.exit_code == 2
    assert refused.stderr.endswith("remedy: edit it, or say --force for another one here\n")
    assert not (empty / "pytest-devenv.toml").exists()

    assert run("--write", "--force").exit_code == 0
    assert tomllib.loads((empty / "pytest-devenv.toml").read_text())["name"] == "my-project"


def test_an_empty_project_gets_an_example(empty: Path) -> None:
    """Without anything to go by, the table has a name and a service to fill in."""
    result = run("--write")

    assert result.stderr.startswith(f"wrote {empty / 'pytest-devenv.toml'}\n")
    text = (empty / "pytest-devenv.toml").read_text()
    assert text.endswith(
        "# No service was found in manifests, a Tiltfile, a compose file or a .env. One looks like this:\n"
        "# [services.postgres]\n"
        '# kind = "postgres"  # postgres, redis, http, job\n'
        "# local_port = 5432\n"
        '# user = "…"\n'
        '# password = { env = "POSTGRES_PASSWORD" }\n'
    )
    read(empty / "pytest-devenv.toml", environ={})


@pytest.mark.parametrize(
    ("files", "migrations"),
    [
        (["migrations/20240101000000_users.tx.up.sql"], [("bun", "migrations")]),
        (["db/shop/1_users.sql"], [("sqlx", "db/shop")]),
        (["alembic/env.py", "alembic/versions/1.py"], [("alembic", "alembic")]),
        (["migrations/a/1_x.sql", "migrations/b/1_x.sql"], [("sqlx", "migrations/a"), ("sqlx", "migrations/b")]),
        (["queries/users.sql", "tests/1_x.sql", "node_modules/1_x.sql", "seeds/base/10_users.sql"], []),
    ],
    ids=["bun", "sqlx", "alembic", "two databases", "no migrations"],
)
def test_folders_of_migrations_are_known_by_their_layout(
    empty: Path, files: list[str], migrations: list[tuple[str, str]]
) -> None:
    """sqlx, bun and Alembic each leave a layout behind; a folder of queries or of seeds is none of them."""
    for name in files:
        (empty / name).parent.mkdir(parents=True, exist_ok=True)
        (empty / name).touch()
    (empty / "compose.yaml").write_text("services: {db: {image: postgres}}")
    run("--write")

    databases = read(empty / "pytest-devenv.toml", environ={}).databases.values()
    assert [(each.migrations.engine, each.migrations.path) for each in databases if each.migrations] == migrations


def test_migrations_without_a_server_are_only_a_comment(empty: Path) -> None:
    """A database needs a service; without one its table is written as a comment."""
    (empty / "migrations").mkdir()
    (empty / "migrations" / "1_x.sql").touch()

    assert "# migrations looks like sqlx migrations. With a service of kind postgres, add:\n" in run().stdout


def test_beside_a_compose_file_the_tiltfile_adds_its_own_services(empty: Path) -> None:
    """Servers from compose and an application from Tilt are one environment; what both name is one service."""
    (empty / "compose.yaml").write_text(
        "services: {db: {image: postgres, ports: ['5432:5432']}, mail: {image: mailpit, ports: ['8025:8025']}}"
    )
    (empty / "Tiltfile").write_text(
        "k8s_resource('api', port_forwards='8000:80', resource_deps=['db', 'redis'])\n"
        "k8s_resource('redis', port_forwards=6379)\n"
        "k8s_resource('worker')\n"
        "k8s_resource('mail', resource_deps=['db'])\n"
        "local_resource('web', serve_cmd='npm run dev', resource_deps=['api'],\n"
        "    readiness_probe=probe(http_get=http_get_action(3000, path='/ready')))\n"
    )
    run("--write")

    services = read(empty / "pytest-devenv.toml", environ={}).services
    assert {name: (str(each.kind), each.port, each.local_port, each.requires) for name, each in services.items()} == {
        "db": ("postgres", 5432, 5432, ()),
        "mail": ("http", 8025, 8025, ("db",)),
        "api": ("http", 80, 8000, ("db", "redis")),
        "redis": ("redis", 6379, 6379, ()),
        "web": ("http", 3000, 3000, ("api",)),
    }
    assert services["web"].health == "/ready"
    assert "[services.api]  # Tiltfile\n" in (empty / "pytest-devenv.toml").read_text()


def test_a_dotenv_alone_tells_of_its_servers(empty: Path) -> None:
    """The URLs of a .env are servers that are there; a password stays in the variable that has it."""
    (empty / ".env").write_text(
        "DATABASE_URL=postgresql://leaf:hunter2@localhost/tea_development\n"
        'REDIS_URL="redis://cache.test:6380/1"\n'
        "S3_URL=https://s3.example.com\n"
    )
    result = run("--write")

    text = (empty / "pytest-devenv.toml").read_text()
    assert result.exit_code == 0
    assert "hunter2" not in text
    assert '# its password is in DATABASE_URL: export PYTEST_DEVENV_POSTGRES_URL="$DATABASE_URL"\n' in text
    settings = read(empty / "pytest-devenv.toml", environ={})
    assert settings.target is TargetName.ADDRESSES
    postgres, redis = settings.services["postgres"], settings.services["redis"]
    assert (postgres.host, postgres.local_port, postgres.user) == (None, 5432, "leaf")
    assert (redis.host, redis.local_port) == ("cache.test", 6380)
    assert settings.databases["tea_development"].service == "postgres"


def test_a_compose_project_is_looked_at_where_it_runs(empty: Path) -> None:
    """Where compose runs the servers, they are there already: nothing is started beside them."""
    (empty / "compose.yaml").write_text(
        "services: {db: {image: postgres, ports: ['5433:5432'],"
        " environment: {POSTGRES_DB: tea, POSTGRES_PASSWORD: '${DB_PASSWORD}'}}}"
    )
    (empty / ".env").write_text("DB_PASSWORD=hunter2\nDATABASE_URL=postgres://leaf:hunter2@localhost:5433/tea\n")
    run("--write")

    text = (empty / "pytest-devenv.toml").read_text()
    assert "hunter2" not in text
    assert 'password = { env = "DB_PASSWORD" }  # where to find it, never the value; it is in .env: set -a;' in text
    settings = read(empty / "pytest-devenv.toml", environ={})
    assert settings.target is TargetName.ADDRESSES
    assert list(settings.services) == ["db"]
    assert settings.services["db"].user == "leaf"
    assert settings.services["db"].start == "docker compose up --detach db"
    assert settings.databases["tea"].service == "db"


def test_broken_files_stop_nothing(empty: Path) -> None:
    """What cannot be read is named in a note."""
    (empty / "compose.yaml").write_text("services: {")
    (empty / "a.yaml").write_text("apiVersion: v1\nx: 2024-99-99\n")
    (empty / "b.yaml").write_bytes(b"apiVersion: \xff")
    (empty / "Tiltfile").write_text("k8s_resource(")

    result = run()

    assert result.exit_code == 0
    assert "# Note: a.yaml was passed over: it is no plain YAML (a template?)\n" in result.stdout
    assert "# Note: compose.yaml was passed over: it is no YAML\n" in result.stdout


def test_a_file_that_is_no_toml_is_not_made_worse(empty: Path) -> None:
    """The problem of the file is said, and the file stays as it is."""
    file = empty / "pyproject.toml"
    file.write_text("[project\n")

    result = run("--write")

    assert result.exit_code == 2
    assert "syntax\n  expected: valid TOML\n" in result.stderr
    assert file.read_text() == "[project\n"
