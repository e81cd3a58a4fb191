"""What a compose file says."""

from __future__ import annotations

from pytest_devenv.cli.init.compose import read_compose
from pytest_devenv.cli.init.found import FoundService, kind_of

TEXT = """
services:
  db:
    image: postgres:16-alpine
    ports: ["127.0.0.1:${DB_PORT:-15432}:5432/tcp"]
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: hunter2}
  cache:
    image: registry.example:5000/valkey/valkey:8
    environment: ["X=1"]
  web:
    build: .
    depends_on: {db: {condition: service_healthy}, cache: {}}
    ports:
      - {published: "8080", target: 80}
  worker:
    image: shop/worker
"""


def test_services_are_read_with_kind_ports_and_requires() -> None:
    """Each service that listens is found; a password's place is, its value never."""
    assert list(read_compose("compose.yaml", TEXT, {})) == [
        FoundService(
            name="db",
            kind="postgres",
            told_by="compose.yaml",
            port=5432,
            local_port=15432,
            user="shop",
            password_env="POSTGRES_PASSWORD",
            start="docker compose up --detach db",
        ),
        FoundService(name="cache", kind="redis", told_by="compose.yaml", start="docker compose up --detach cache"),
        FoundService(
            name="web",
            kind="http",
            told_by="compose.yaml",
            port=80,
            local_port=8080,
            requires=("db", "cache"),
            start="docker compose up --detach web",
        ),
    ]


SHARED = """
x-common: &common {restart: unless-stopped}
services:
  db:
    <<: *common
    image: postgres:16
    environment: ["POSTGRES_DB=${DB_NAME:-tea}", "POSTGRES_USER=${DB_USER}", "POSTGRES_PASSWORD=${DB_PASSWORD:?set it}"]
    ports: ["$DB_PORT:5432"]
  cache:
    image: redis:7
    command: ["redis-server", "--requirepass", "${CACHE_PASSWORD}"]
  queue:
    image: redis:7
    command: redis-server --requirepass hunter2
  web:
    build: .
    ports: [{target: 8000, published: "${WEB_PORT:-8001}"}]
    healthcheck: {test: "curl -f http://localhost:8000/healthz/ || exit 1"}
  api:
    build: .
    ports: ["${API_PORT}:80"]
    healthcheck: {test: ["CMD", "wget", "-q", "http://127.0.0.1/live?full=1"]}
"""


def test_variables_of_the_file_are_filled_in_and_passwords_only_named() -> None:
    """What compose takes from .env is taken from there too, and of a password only the variable that holds it."""
    variables = {"DB_USER": "leaf", "DB_PORT": "5433", "DB_PASSWORD": "hunter2", "CACHE_PASSWORD": "hunter2"}
    found = {each.name: each for each in read_compose("compose.yaml", SHARED, variables)}

    assert "hunter2" not in str(found)
    db = found["db"]
    assert (db.user, db.database, db.local_port, db.password_env) == ("leaf", "tea", 5433, "DB_PASSWORD")
    assert [found[name].password_env for name in ("cache", "queue", "web")] == [
        "CACHE_PASSWORD",
        "REDIS_PASSWORD",
        None,
    ]
    assert (found["web"].local_port, found["web"].health) == (8001, "/healthz/")
    assert (found["api"].port, found["api"].local_port, found["api"].health) == (80, None, "/live?full=1")


def test_the_kind_comes_from_the_image_then_from_the_port() -> None:
    """An image that only speaks of a database is none."""
    assert kind_of("postgis/postgis:16", ()) == "postgres"
    assert kind_of("quay.io/prometheuscommunity/postgres-exporter", (9187,)) == "http"
    assert kind_of("own/database", (5432,)) == "postgres"
    assert kind_of("own/batch", ()) is None


def test_a_file_without_services_gives_none() -> None:
    """A compose file that holds something else breaks nothing."""
    assert list(read_compose("compose.yaml", "[]", {})) == []
    assert list(read_compose("compose.yaml", "services: [a]", {})) == []
