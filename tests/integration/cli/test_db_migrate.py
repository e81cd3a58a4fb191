"""`pytest-devenv db migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.sqlx import lock_key

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop


def test_it_applies_what_is_pending_and_marks_an_empty_database(shop: Shop) -> None:
    """A fresh database needs no question: it is filled, and carries the marker afterwards."""
    result = shop.run("migrate")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{shop.name}: applied 1 (items) in ")
    assert shop.query("SELECT environment, origin FROM pytest_devenv.marker") == [("development", "filled")]
    again = shop.run("migrate")
    assert (again.exit_code, again.stdout) == (0, f"{shop.database}: nothing to do\n")


def test_json_is_one_object_with_what_was_applied(shop: Shop) -> None:
    """--json prints one object: the command, where, what was applied to which database, and the exit code."""
    found = shop.json("migrate")
    facts = shop.of(found)
    assert {key: found[key] for key in ("command", "environment", "target", "result")} == {
        "command": "db migrate",
        "environment": "development",
        "target": "addresses",
        "result": "done",
    }
    assert [(one["version"], one["description"]) for one in facts["applied"]] == [("1", "items")]
    assert facts["took_s"] >= facts["applied"][0]["took_s"] > 0
    assert facts["warnings"] == []


def test_a_dry_run_shows_the_sql_and_changes_nothing(shop: Shop) -> None:
    """--dry-run lists the steps with their SQL and names what has no way back; not even a marker is written."""
    shop.write("migrations/2_more.sql", "ALTER TABLE items ADD price int;\n")
    result = shop.run("migrate", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{shop.database}: 2 to apply",
        "  1 (items)",
        "    CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL);",
        "  2 (more)  [no way back]",
        "    ALTER TABLE items ADD price int;",
        "  without a way back: 2 (more)",
    ]
    steps = shop.of(shop.json("migrate", "--dry-run"))["steps"]
    assert [(step["version"], step["reversible"], step["transaction"]) for step in steps] == [
        ("1", True, True),
        ("2", False, True),
    ]
    assert shop.query("SELECT to_regclass('items'), to_regnamespace('pytest_devenv')") == [(None, None)]


def test_it_stops_at_a_version(shop: Shop) -> None:
    """--to applies no later migration; --verbose shows the SQL of those that run."""
    shop.write("migrations/2_more.sql", "ALTER TABLE items ADD price int;\n")
    result = shop.run("migrate", "--to", "1", "--verbose")
    assert result.exit_code == 0
    assert "    CREATE TABLE items" in result.stdout
    assert "price" not in result.stdout
    assert shop.of(shop.json("status"))["migrations"]["pending"] == ["2"]


def test_a_failure_tells_what_was_done_before_it(shop: Shop) -> None:
    """Exit code 1: the message names file and line, and what came before it is kept and listed."""
    shop.write("migrations/2_wrong.sql", "SELECT 1;\nALTER TABLE nothing ADD price int;\n")
    found = shop.json("migrate", code=1)
    assert found["result"] == "failed"
    assert found["error"]["kind"] == "RunError"
    assert "2_wrong.sql, line 2" in found["error"]["message"]
    facts = shop.of(found)
    assert ([one["version"] for one in facts["applied"]], facts["failed"]) == (["1"], "2")
    plain = shop.run("migrate")
    assert plain.exit_code == 1
    assert plain.stdout == ""
    assert 'relation "nothing" does not exist' in plain.stderr


def test_it_waits_for_another_migrator_and_says_who_it_is(migrated: Shop) -> None:
    """Exit code 5: the lock is held past --lock-timeout, and the message names its holder."""
    migrated.write("migrations/2_more.sql", "ALTER TABLE items ADD price int;\n")
    with (
        connect(migrated.database, application_name="somebody-else") as other,
        held(other, lock_key(migrated.name), timeout_s=1, where=""),
    ):
        found = migrated.json("migrate", "--lock-timeout", "100ms", code=5)
    assert found["result"] == "locked"
    assert "application somebody-else" in found["error"]["message"]
    assert migrated.run("migrate").exit_code == 0


def test_a_database_that_is_not_ours_is_refused(shop: Shop) -> None:
    """Exit code 4: a database that holds data and no marker is left alone, and the remedy says how to adopt it."""
    shop.query("CREATE TABLE somebody_elses (id int)")
    found = shop.json("migrate", code=4)
    assert found["result"] == "refused"
    assert found["error"]["kind"] == "GuardError"
    assert found["error"]["remedy"] == (
        f"if it is yours to change: pytest-devenv db adopt {shop.name} --environment development"
    )
    assert shop.tables() == {"somebody_elses"}


def test_without_a_database_every_one_is_migrated(shop: Shop) -> None:
    """Where there are several databases, --database names one, and without it all are migrated."""
    other = f"{shop.name}_b"
    shop.write("more/1_more.sql", "CREATE TABLE more (id int);\n")
    shop.configure(
        f'[tool.pytest-devenv.databases.{other}]\nservice = "db"\nmigrations = {{ engine = "sqlx", path = "more" }}'
    )
    try:
        assert shop.run("setup", "--database", other).exit_code == 0
        assert set(shop.json("migrate", "--database", shop.name)["databases"]) == {shop.name}
        assert list(shop.json("migrate")["databases"]) == [shop.name, other]
        result = shop.run("rollback", "--force")
        assert result.exit_code == 2
        assert f"expected: --database and one of: {shop.name}, {other}" in result.stderr
    finally:
        shop.server.drop_database(other)


def test_bun_and_its_transactions(shop: Shop) -> None:
    """The engine of the settings decides: Bun's files are applied by Bun's rules."""
    for file in ("migrations/1_items.up.sql", "migrations/1_items.down.sql"):
        (shop.path / file).unlink()
    shop.configure(engine="bun")
    created = shop.of(shop.json("create", "add_things"))["files"]
    assert [Path(name).name.partition("_")[2] for name in created] == ["add_things.tx.up.sql", "add_things.tx.down.sql"]
    assert [one["description"] for one in shop.of(shop.json("migrate"))["applied"]] == ["add_things"]


@pytest.mark.parametrize("value", ["soon", "-1", "0"])
def test_a_wrong_duration_is_a_usage_error(shop: Shop, value: str) -> None:
    """Exit code 2: what was expected is said."""
    result = shop.run("migrate", "--lock-timeout", value)
    assert result.exit_code == 2
    assert "expected a duration" in result.stderr
