"""The guard, as commands meet it: what is refused, before anybody connects, and what `db adopt` changes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.cli.shop import Shop

COMMANDS = {
    "migrate": ["migrate", "--verbose"],
    "rollback": ["rollback", "--force"],
    "repair": ["repair", "1", "--forget", "--force"],
    "reset": ["reset", "--force", "--seed"],
    "setup": ["setup"],
    "adopt": ["adopt", "{database}", "--confirm", "{database}"],
    "seed": ["seed", "--force"],
    "seed-rollback": ["seed-rollback", "states", "--force"],
    "seed-clean": ["seed-clean", "--force"],
}
# Where each place says what it is: in the URL, in libpq's environment, in the name of the environment.
PLACES: dict[str, tuple[str, dict[str, str], int]] = {
    "production": ("postgresql://127.0.0.1:{port}", {"PYTEST_DEVENV_ENVIRONMENT": "production"}, 4),
    "prod": ("postgresql://127.0.0.1:{port}", {"PYTEST_DEVENV_ENVIRONMENT": "prod"}, 4),
    "staging": ("postgresql://127.0.0.1:{port}", {"PYTEST_DEVENV_ENVIRONMENT": "staging"}, 4),
    "stage": ("postgresql://127.0.0.1:{port}", {"PYTEST_DEVENV_ENVIRONMENT": "stage"}, 4),
    "unknown": ("postgresql://127.0.0.1:{port}", {"PYTEST_DEVENV_ENVIRONMENT": "qa"}, 2),
    "named host": ("postgresql://db.production.localhost:{port}", {}, 4),
    "named host, in capitals": ("postgresql://DB-PROD.localhost:{port}", {}, 4),
    "hostaddr in the environment": ("postgresql://127.0.0.1:{port}", {"PGHOSTADDR": "127.0.0.2"}, 4),
    "service in the environment": (
        "postgresql://127.0.0.1:{port}",
        {"PGSERVICE": "production", "PGSERVICEFILE": "services.conf"},
        4,
    ),
    "host in the query": ("postgresql://127.0.0.1:{port}/?host=db.production.localhost", {}, 1),
    "hostaddr in the query": ("postgresql://127.0.0.1:{port}/?hostaddr=127.0.0.1", {}, 1),
    "service in the query": ("postgresql://127.0.0.1:{port}/?service=production", {}, 1),
    "several hosts": ("postgresql://127.0.0.1:{port},db.production.localhost:{port}/", {}, 2),
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give a socket that would take any connection, on every address of this machine."""
    with socket.create_server(("", 0), backlog=50) as made:
        made.settimeout(0)
        yield made


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", PLACES)
def test_nothing_connects_where_nothing_may_change(
    paper: Shop, listener: socket.socket, place: str, command: str
) -> None:
    """Every command that changes something is refused before it opens a connection, whatever says where it would go."""
    url, variables, code = PLACES[place]
    paper.write("services.conf", "[production]\nhostaddr=127.0.0.2\n")
    words = [word.format(database=paper.name) for word in COMMANDS[command]]
    result = paper.run(*words, PYTEST_DEVENV_DB_URL=url.format(port=listener.getsockname()[1]), **variables)
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert result.exit_code == code, result.stderr
    assert "found" in result.stderr


@pytest.mark.parametrize("name", ["shop_production", "prod-shop", "Staging"])
def test_a_database_with_such_a_name_is_refused(paper: Shop, listener: socket.socket, name: str) -> None:
    """The name rule holds without a connection: exit code 4."""
    text = (paper.path / "pyproject.toml").read_text().replace("databases.shop]", f'databases."{name}"]')
    paper.write("pyproject.toml", text)
    url = f"postgresql://127.0.0.1:{listener.getsockname()[1]}"
    result = paper.run("reset", "--force", PYTEST_DEVENV_DB_URL=url)
    assert result.exit_code == 4
    assert f"refused: the database {name} is named like" in result.stderr
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_the_hosts_of_the_environment_decide_nothing(shop: Shop, listener: socket.socket) -> None:
    """PGHOST, PGPORT and PGDATABASE lead nowhere: what the settings name is what is changed."""
    elsewhere = {"PGHOST": "127.0.0.2", "PGPORT": str(listener.getsockname()[1]), "PGDATABASE": "production"}
    assert shop.run("migrate", **elsewhere).exit_code == 0
    assert "items" in shop.tables()
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("command", ["migrate", "setup", "seed", "rollback", "reset", "seed-rollback", "repair"])
def test_force_skips_the_question_and_never_the_guard(shop: Shop, command: str) -> None:
    """Without a marker of its own a database that holds data is changed by nothing: exit code 4."""
    shop.sow("states")
    shop.configure('seeds = "seeds"')
    shop.query(f'CREATE TABLE items (id bigint PRIMARY KEY, name text); ALTER TABLE items OWNER TO "{shop.name}"')
    shop.query(
        "CREATE TABLE _sqlx_migrations (version bigint, description text, installed_on timestamptz,"
        " success boolean, checksum bytea, execution_time bigint);"
        " INSERT INTO _sqlx_migrations VALUES (1, 'items', now(), true, '', 0), (9, 'gone', now(), false, '', 0)"
    )
    shop.query(f'GRANT SELECT ON _sqlx_migrations TO "{shop.name}"')
    words = {**COMMANDS, "rollback": ["rollback", "--force", "--to", "base"], "repair": ["repair", "9", "--absent"]}
    if command in {"migrate", "setup", "rollback"}:
        shop.query("DROP TABLE _sqlx_migrations")
    if command == "rollback":
        shop.query(
            "CREATE TABLE _sqlx_migrations AS SELECT 1::bigint AS version, 'items' AS description, now() AS"
            " installed_on, true AS success, NULL::bytea AS checksum, 0::bigint AS execution_time"
        )
        shop.query(f'GRANT SELECT ON _sqlx_migrations TO "{shop.name}"')
    result = shop.run(*words[command])
    assert result.exit_code == 4, result.output
    assert "it does not say that it is a development database" in result.stderr
    assert shop.query("SELECT count(*) FROM items") == [(0,)]
    assert shop.query("SELECT to_regnamespace('pytest_devenv')") == [(None,)]


def test_adopt_shows_what_is_there_and_wants_its_name(shop: Shop) -> None:
    """Exit code 4 without the name, or with another; with it the database may be changed."""
    shop.query("CREATE TABLE theirs AS SELECT generate_series(1, 1000) AS id; GRANT SELECT ON theirs TO PUBLIC")
    refused = shop.run("adopt", shop.name)
    assert refused.exit_code == 4
    assert "found: no name\n" in refused.stderr
    assert "1 tables, 1,000 rows" in refused.stdout
    assert (
        f"remedy: pytest-devenv db adopt {shop.name} --environment development --confirm {shop.name}" in refused.stderr
    )
    assert shop.run("adopt", shop.name, "--confirm", "shop").exit_code == 4
    found = shop.json("adopt", shop.name, "--environment", "test", "--confirm", shop.name)
    assert shop.of(found)["marker"]["environment"] == "test"
    assert shop.run("migrate").exit_code == 0
    assert shop.audit()[0] == (f"db adopt {shop.name} --env test --confirm {shop.name}", "done")


def test_reset_is_refused_in_production_before_anything_is_asked_of_it(shop: Shop) -> None:
    """Where there are several databases too, for which a command that is refused anyway would have to be named."""
    shop.configure('[tool.pytest-devenv.databases.other]\nservice = "db"')
    result = shop.run("reset", "--env", "production", "--force")
    assert result.exit_code == 4
    assert "refused: the environment is production" in result.stderr


def test_adopt_takes_the_name_typed_at_the_terminal(shop: Shop) -> None:
    """Typed right it is adopted, typed wrong it is not."""
    shop.query("CREATE TABLE theirs (id int)")
    assert shop.process("adopt", shop.name, answer="yes").returncode == 4
    assert shop.process("adopt", shop.name, answer=shop.name).returncode == 0
    assert "is marked already" in shop.run("adopt", shop.name).stdout


def test_a_copy_of_a_marked_database_is_not_ours(migrated: Shop) -> None:
    """A marker that came along with a template was written for another database, and is refused."""
    copy = f"{migrated.name}_copy"
    migrated.server.create_database("unused_" + copy)
    migrated.server.drop_database("unused_" + copy)
    from pytest_devenv.clients.postgres import connect

    with connect(migrated.server.server.administer()) as connection:
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{migrated.name}" OWNER "{migrated.name}"'.encode())
    try:
        text = (
            (migrated.path / "pyproject.toml").read_text().replace(f"databases.{migrated.name}]", f"databases.{copy}]")
        )
        migrated.write("pyproject.toml", text)
        result = migrated.run("reset", "--force")
        assert result.exit_code == 4
        assert "its marker was written for another database" in result.stderr
    finally:
        migrated.server.drop_database(copy)


def test_rows_that_may_not_be_read_are_estimated(shop: Shop) -> None:
    """What a role may not count, it is told about all the same."""
    shop.query("CREATE TABLE theirs AS SELECT generate_series(1, 1000) AS id; ANALYZE theirs")
    assert "1 tables, about 1,000 rows" in shop.run("adopt", shop.name).stdout
