"""`pytest-devenv db rollback`, `reset` and `setup`: what destroys asks first, and destroys what was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.sqlx import lock_key

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop


def test_rollback_takes_the_last_one_back(migrated: Shop) -> None:
    """One migration by default; where nothing is applied, nothing is done."""
    migrated.write("migrations/2_more.up.sql", "CREATE TABLE more ();\n")
    migrated.write("migrations/2_more.down.sql", "DROP TABLE more;\n")
    assert migrated.run("migrate").exit_code == 0
    assert [one["version"] for one in migrated.of(migrated.json("rollback", "--force"))["taken_back"]] == ["2"]
    assert "items" in migrated.tables()
    assert migrated.run("rollback", "--to", "base", "--force").exit_code == 0
    assert "items" not in migrated.tables()
    assert migrated.run("rollback").stdout == f"{migrated.database}: nothing to do\n"


@pytest.mark.parametrize("words", [["--target", "11"], ["--target", "0"], ["--target", "2", "--to", "base"]])
def test_rollback_has_its_bounds(migrated: Shop, words: list[str]) -> None:
    """At most ten without --to, and not both: exit code 2."""
    assert migrated.run("rollback", "--force", *words).exit_code == 2
    assert "items" in migrated.tables()


def test_rollback_without_a_way_back_changes_nothing(migrated: Shop) -> None:
    """A migration without a down file stops the whole run before it begins."""
    migrated.write("migrations/2_more.sql", "CREATE TABLE more ();\n")
    assert migrated.run("migrate").exit_code == 0
    result = migrated.run("rollback", "--target", "2", "--force")
    assert result.exit_code == 1
    assert "migration 2 (more) has no way back" in result.stderr
    assert {"items", "more"} <= migrated.tables()


@pytest.mark.parametrize("command", ["rollback", "reset"])
def test_what_destroys_asks_by_name_and_host(migrated: Shop, command: str) -> None:
    """The question names database and host; `no` changes nothing (exit code 1), `y` goes on."""
    declined = migrated.process(command, answer="n")
    assert declined.returncode == 1
    assert str(migrated.database) in declined.stderr
    assert "nothing was changed: the answer was no" in declined.stderr
    assert "items" in migrated.tables()
    before = migrated.query("SELECT oid FROM pg_database WHERE datname = current_database()")
    agreed = migrated.process(command, answer="y")
    assert agreed.returncode == 0, agreed.stderr
    if command == "rollback":
        assert "items" not in migrated.tables()
    else:
        assert migrated.query("SELECT oid FROM pg_database WHERE datname = current_database()") != before


@pytest.mark.parametrize("command", ["rollback", "reset"])
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_nobody_to_ask_is_a_usage_error(migrated: Shop, command: str, json: list[str]) -> None:
    """Without a terminal, or with --json, exit code 2 and the flag that would answer; nothing is changed."""
    result = migrated.run(command, *json)
    assert result.exit_code == 2
    assert f"pytest-devenv db {command} --force" in result.stderr
    assert "items" in migrated.tables()


def test_reset_builds_the_database_anew(sown: Shop) -> None:
    """Whatever was in it is gone; the migrations and, with --seed, the seeds are there again, and so is the marker."""
    sown.query("CREATE SCHEMA other; CREATE TABLE other.things (id int); SELECT lo_create(0)")
    result = sown.run("reset", "--force", "--seed")
    assert result.exit_code == 0, result.stderr
    assert sown.query("SELECT name FROM items ORDER BY id") == [("states",), ("people",)]
    assert sown.query("SELECT to_regnamespace('other'), (SELECT count(*) FROM pg_largeobject_metadata)") == [(None, 0)]
    assert sown.query("SELECT environment, origin FROM pytest_devenv.marker") == [("development", "created")]
    assert sown.run("status", "--exit-code").exit_code == 0


def test_reset_keeps_what_belongs_to_the_database_itself(migrated: Shop) -> None:
    """Owner, locale, settings, grants and the audit are as they were."""
    name = migrated.name
    migrated.query(f'ALTER DATABASE "{name}" SET search_path = app, public')
    migrated.query(f"ALTER ROLE {name} IN DATABASE {name} SET statement_timeout = '77s'")
    migrated.query(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
    kept = (
        "SELECT pg_get_userbyid(datdba), encoding, datcollate, datctype,"
        " (SELECT array_agg(each::text ORDER BY each::text) FROM unnest(datacl) each)"
        " FROM pg_database WHERE datname = current_database()"
    )
    settings = (
        "SELECT setrole = 0, setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        " WHERE datname = current_database() ORDER BY 1"
    )
    before = migrated.query(kept), migrated.query(settings), migrated.audit()
    found = migrated.json("reset", "--force")
    assert migrated.of(found)["lost"] == []
    assert (migrated.query(kept), migrated.query(settings)) == before[:2]
    assert migrated.audit()[: len(before[2])] == before[2]
    assert migrated.audit()[-1] == ("db reset --force", "done")


def test_reset_ends_who_is_connected_but_not_who_migrates(migrated: Shop) -> None:
    """An idle session does not keep the database; a migrator at work does (exit code 5)."""
    with (
        connect(migrated.database) as other,
        held(other, lock_key(migrated.name), timeout_s=1, where=""),
    ):
        assert migrated.run("reset", "--force", "--lock-timeout", "50ms").exit_code == 5
    assert "items" in migrated.tables()
    idle = connect(migrated.database)
    assert migrated.run("reset", "--force").exit_code == 0
    idle.close()


def test_reset_finds_broken_files_before_it_destroys(migrated: Shop) -> None:
    """Two files of one version are told while the database is still there."""
    migrated.query("INSERT INTO items VALUES (1, 'kept')")
    migrated.write("migrations/1_again.sql", "SELECT 1;\n")
    assert migrated.run("reset", "--force").exit_code == 1
    assert migrated.query("SELECT name FROM items") == [("kept",)]


def test_reset_without_the_right_to_create_destroys_nothing(migrated: Shop) -> None:
    """A role that could not create the database again is told so while it is still there."""
    migrated.query(f'ALTER ROLE "{migrated.name}" NOCREATEDB')
    result = migrated.run("reset", "--force")
    assert result.exit_code == 1
    assert f'remedy: as a superuser: ALTER ROLE "{migrated.name}" CREATEDB;' in result.stderr
    assert "items" in migrated.tables()


def test_setup_creates_migrates_and_seeds(shop: Shop) -> None:
    """From a server without the database to one that is whole, and a second time changes nothing."""
    shop.server.drop_database(shop.name)
    shop.sow("states")
    shop.configure('seeds = "seeds"')
    facts = shop.of(shop.json("setup"))
    assert facts["created"] == [f"database {shop.name}"]
    assert [one["name"] for one in facts["seeded"]] == ["states"]
    assert shop.query("SELECT environment, origin FROM pytest_devenv.marker") == [("development", "created")]
    again = shop.of(shop.json("setup"))
    assert (again["created"], again["applied"], again["seeded"]) == ([], [], [])


def test_setup_without_the_right_says_what_is_missing(shop: Shop) -> None:
    """A role that may not create roles is told what it needs."""
    shop.configure(f'roles = ["{shop.name}_reader"]')
    result = shop.run("setup")
    assert result.exit_code == 1
    assert f'remedy: as a superuser: ALTER ROLE "{shop.name}" CREATEDB CREATEROLE;' in result.stderr
