"""Fixtures for tests against real servers: a scratch database with the schema, and a running backend."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import requests
from psycopg import sql

from pytest_devenv.targets.environment import Environment

ROOT = Path(__file__).parents[3]
MIGRATIONS = ROOT / "migrations" / "kiro"
JOBS = ROOT / "migrations" / "jobs"
JOBS_ROLES = ("authenticated", "service_role")
ORIGIN = "http://localhost:5000"
SECRETS = {
    "JWT_SECRET": "a-development-secret-and-nothing-more",
    "TOKEN_ENCRYPTION_KEY": "ZGV2ZWxvcG1lbnQta2V5LW5vdC1hLXNlY3JldC0zMmI=",
}
GOOD_PASSWORD = "Correct-Horse-7"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that names what a test needs."""
    config.addinivalue_line(
        "markers", "integration: needs a PostgreSQL and a redis: of DATABASE_URL and REDIS_URL, else the environment's"
    )


@dataclass(frozen=True)
class Backend:
    """A running backend, and its process."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def running_backend(environment: Mapping[str, str], log: Path, *words: str, folder: Path = ROOT) -> Iterator[Backend]:
    """Run a backend on a free port until the block ends; `words` are more of its command line."""
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.backend", "--port", "0", *words],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **SECRETS, "CORS_ALLOWED_ORIGINS": ORIGIN, **environment},
            stderr=stream,
            stdout=stream,
            text=True,
        )
    try:
        yield Backend(_url_in(log, process), process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _url_in(log: Path, process: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"running on (http://\S+)", log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.02)
    pytest.fail(f"the backend does not listen; its log:\n{log.read_text(encoding='utf-8')}")


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition; fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"still not true after {seconds} s")
        time.sleep(0.02)


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """Give the PostgreSQL server that DATABASE_URL names, else the environment's."""
    return os.environ.get("DATABASE_URL") or str(_environment(request).endpoints["postgres"].url("kiro").reveal())


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """Give the redis server that REDIS_URL names, else the environment's; the backend's keys there expire."""
    return os.environ.get("REDIS_URL") or str(_environment(request).endpoints["redis"].url().reveal())


def _environment(request: pytest.FixtureRequest) -> Environment:
    """Return the environment as this run reaches it, wherever that is: what the backend is given may lead elsewhere."""
    environment: Environment = request.getfixturevalue("devenv").environment
    return environment


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """Make a scratch database beside the one of DATABASE_URL, with every migration applied."""
    with _scratch(server_url) as url:
        with psycopg.connect(url) as database:
            for migration in sorted(MIGRATIONS.glob("*.up.sql")):
                database.execute(migration.read_bytes())
        yield url


@pytest.fixture(scope="session")
def jobs_database_url(server_url: str) -> Iterator[str]:
    """Make a scratch database for jobs, migrated by Alembic itself. Its roles stay: they belong to the server."""
    with _scratch(server_url) as url:
        with psycopg.connect(url, autocommit=True) as database:
            for role in JOBS_ROLES:
                if not database.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchall():
                    database.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=JOBS,
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            check=True,
            timeout=120,
        )
        yield url


@contextmanager
def _scratch(server_url: str) -> Iterator[str]:
    name = f"kiro_app_tests_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection]:
    """Connect to the scratch database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def jobs_database(jobs_database_url: str) -> Iterator[psycopg.Connection]:
    """Connect to the scratch database of jobs, as its owner."""
    with psycopg.connect(jobs_database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def backend(
    database_url: str, jobs_database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    """Run a backend until it is ready, on the scratch databases."""
    log = tmp_path_factory.mktemp("backend") / "log"
    urls = {"DATABASE_URL": database_url, "JOBS_DATABASE_URL": jobs_database_url, "REDIS_URL": redis_url}
    with running_backend(urls, log) as running:
        wait_until(lambda: requests.get(f"{running.url}/ready", timeout=5).ok)
        yield running


class Client(requests.Session):
    """Somebody who talks to the backend; paths are relative to it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.email = f"ada-{uuid4().hex[:12]}@example.com"

    def request(self, method: str | bytes, url: str | bytes, *args: object, **kwargs: object) -> requests.Response:
        """Send a request to a path of the backend."""
        kwargs.setdefault("timeout", 10)
        return super().request(method, f"{self._url}{url!s}", *args, **kwargs)  # type: ignore[arg-type]

    def register(self, **changes: str) -> requests.Response:
        """Ask for an account, good unless changed."""
        return self.post(
            "/auth/register",
            json={"email": self.email, "password": GOOD_PASSWORD, "display_name": "Ada", **changes},
        )

    def log_in(self, **changes: str) -> requests.Response:
        """Log in, and send the token from now on."""
        answer = self.post("/auth/login", json={"email": self.email, "password": GOOD_PASSWORD, **changes})
        if answer.ok:
            self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def new_artist(self) -> str:
        """Add an artist of its own name and give its id."""
        answer = self.post("/artists", json={"name": f"Artist {uuid4().hex}"})
        return str(answer.json()["id"])


@pytest.fixture
def anybody(backend: Backend) -> Iterator[Client]:
    """Give somebody without an account."""
    with Client(backend.url) as client:
        yield client


@pytest.fixture
def someone(backend: Backend) -> Iterator[Callable[[], Client]]:
    """Make people who have an account and are logged in."""
    clients: list[Client] = []

    def make() -> Client:
        clients.append(Client(backend.url))
        clients[-1].register().raise_for_status()
        clients[-1].log_in().raise_for_status()
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def ada(someone: Callable[[], Client]) -> Client:
    """Give somebody with an account who is logged in."""
    return someone()
