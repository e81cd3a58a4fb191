"""What the fixtures give to tests, and that each can be overridden."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from pytest_devenv.clients.postgres import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugin.conftest import Project


@pytest.fixture
def keys(project: Project) -> Iterator[Redis]:
    """Give a client of the first logical database of the project's redis."""
    assert project.redis.password is not None
    with Redis(host=project.redis.host, port=project.redis.port, password=project.redis.password.reveal()) as client:
        yield client


def test_database_is_given_as_it_is(project: Project) -> None:
    """Asking for `database` applies nothing and marks nothing."""
    (project.path / "test_own.py").write_text(
        """
def test_it(database):
    with database.connect() as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (database.name,)
"""
    )
    project.run().assert_outcomes(passed=1)
    with connect(project.database) as connection:
        schemas = connection.execute("SELECT to_regclass('items'), to_regnamespace('pytest_devenv')").fetchone()
    assert schemas == (None, None)


def test_migrated_database_has_what_was_pending(project: Project) -> None:
    """`migrated_database` applies the pending migrations of an empty database, and marks it."""
    (project.path / "test_own.py").write_text(
        """
def test_it(migrated_database):
    with migrated_database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)
"""
    )
    project.run().assert_outcomes(passed=1)
    with connect(project.database) as connection:
        marker = connection.execute("SELECT environment, origin FROM pytest_devenv.marker").fetchone()
    assert marker == ("development", "filled")


def test_migrated_database_refuses_one_that_is_not_ours(project: Project) -> None:
    """A database that holds data and carries no marker is not migrated: the error says how to adopt it."""
    with connect(project.database) as connection:
        connection.execute("CREATE TABLE somebody_elses (id int)")
    (project.path / "test_own.py").write_text("def test_it(migrated_database): pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*it does not say that it is a development database*", "*pytest-devenv db adopt *"])
    with connect(project.database) as connection:
        assert connection.execute("SELECT to_regclass('items')").fetchone() == (None,)


def test_migrations_are_applied_once_under_xdist(project: Project) -> None:
    """With several workers one applies what is pending and the others wait for it."""
    (project.path / "test_own.py").write_text(
        """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(migrated_database, number):
    with migrated_database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)
"""
    )
    project.run("-n", "3").assert_outcomes(passed=6)
    with connect(project.database) as connection:
        assert connection.execute("SELECT count(*) FROM _sqlx_migrations").fetchone() == (1,)


def test_redis_is_the_environments_own(project: Project, keys: Redis) -> None:
    """`redis` reads what the environment stored."""
    keys.set("plugin-tests:greeting", "hello", ex=60)
    (project.path / "test_own.py").write_text(
        'def test_it(redis):\n    assert redis.get("plugin-tests:greeting") == b"hello"\n'
    )
    project.run().assert_outcomes(passed=1)


def test_isolated_redis_shares_no_key(project: Project, keys: Redis) -> None:
    """Two tests with `isolated_redis` see no key of each other's, nor of the environment's, and leave none."""
    keys.set("plugin-tests:greeting", "hello", ex=60)
    (project.path / "test_own.py").write_text(
        """
import pytest

@pytest.mark.parametrize("name", ["ada", "grace"])
def test_it(isolated_redis, name):
    assert isolated_redis.get("plugin-tests:greeting") is None
    assert isolated_redis.get("name") is None
    isolated_redis.set("name", name)
    isolated_redis.rpush("list", *range(2500))
    assert isolated_redis.get("name") == name.encode()
"""
    )
    project.run("-n", "2").assert_outcomes(passed=2)
    assert keys.get("plugin-tests:greeting") == b"hello"
    assert set(keys.info("keyspace")) <= {"db0"}


def test_isolated_redis_takes_away_what_a_killed_test_left(project: Project, keys: Redis) -> None:
    """A claim whose process is gone is swept; a database that somebody else uses is left alone."""
    assert project.redis.password is not None
    (project.path / "test_dies.py").write_text(
        """
import os, signal

def test_it(isolated_redis):
    isolated_redis.set("left", "behind")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    password = project.redis.password.reveal()
    with Redis(host=project.redis.host, port=project.redis.port, password=password, db=1) as theirs:
        theirs.set("theirs", "stays")
        project.run("test_dies.py")
        assert set(keys.info("keyspace")) >= {"db1", "db2"}
        (project.path / "test_own.py").write_text(
            'def test_it(isolated_redis):\n    assert isolated_redis.get("left") is None\n'
        )
        project.run("test_own.py").assert_outcomes(passed=1)
        assert theirs.get("theirs") == b"stays"
        theirs.delete("theirs")
    assert set(keys.info("keyspace")) <= {"db0"}


class _Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web(project: Project) -> Iterator[Project]:
    """Give the project with an HTTP service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Greeter) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        project.configure(
            f"[tool.pytest-devenv.services.web]\nkind = 'http'\nurl = 'http://127.0.0.1:{server.server_port}'\n"
        )
        yield project
        server.shutdown()


def test_service_is_given_by_its_name(web: Project) -> None:
    """`service` gives base URL and session of an HTTP service, and names those there are for an unknown name."""
    (web.path / "test_own.py").write_text(
        """
import pytest
from pytest_devenv.errors import TargetError

def test_it(service):
    assert service("web").get("/hello").text == "/hello"
    assert service("web").session is service("web").session

def test_unknown(service):
    with pytest.raises(TargetError, match="expected the name of a service of kind http, found 'wbe'; there are: web"):
        service("wbe")
"""
    )
    web.run().assert_outcomes(passed=2)


def test_overridden_fixtures_break_no_check(healthy: Project) -> None:
    """A project's own `database` and `redis` are its tests' affair: the packaged checks go on."""
    (healthy.path / "conftest.py").write_text(
        """
import pytest

@pytest.fixture
def database():
    return "mine"

@pytest.fixture(scope="session")
def redis():
    raise AssertionError("nobody asks for it")
"""
    )
    (healthy.path / "test_own.py").write_text("def test_it(database):\n    assert database == 'mine'\n")
    result = healthy.run("--devenv")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*shop is healthy*"])


def test_fixture_documentation_is_for_users(project: Project) -> None:
    """`pytest --fixtures` tells what each fixture gives."""
    result = project.run("--fixtures")
    for name in ("devenv", "database", "migrated_database", "redis", "isolated_redis", "service"):
        result.stdout.fnmatch_lines([f"{name}*", "    Give *"])


def test_fixture_with_wrong_settings_says_what_is_wrong(project: Project) -> None:
    """A mistake in the table is one message for whoever asks for the environment, without our code in it."""
    project.configure("nonsense = 1\n")
    (project.path / "test_own.py").write_text("def test_it(database): pass\n")
    result = project.run("--showlocals")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*nonsense*"])
    result.stdout.no_fnmatch_line("*environ*")
    result.stdout.no_fnmatch_line("*pytest_devenv/*")


def test_fixture_without_a_table_says_how_to_make_one(pytester: pytest.Pytester) -> None:
    """In a project that configures nothing a fixture is an error of one message, without our code in it."""
    pytester.makepyfile("def test_it(database): pass\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["expected a ?tool.pytest-devenv? table*", "*remedy: pytest-devenv init --write"])
    result.stdout.no_fnmatch_line("*pytest_devenv/fixtures*")
