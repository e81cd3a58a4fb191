"""`pytest-devenv db repair`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop

CONCURRENT = "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY items_name ON items (name);\n"


@pytest.fixture
def dirty(migrated: Shop) -> Shop:
    """Give a project whose second migration began and did not end."""
    migrated.query("INSERT INTO items VALUES (1, 'same'), (2, 'same')")
    migrated.write("migrations/2_index.sql", CONCURRENT)
    result = migrated.run("migrate")
    assert result.exit_code == 1
    assert result.stderr.endswith("\n  remedy: pytest-devenv db repair 2\n")
    return migrated


def test_a_dirty_migration_is_repaired_as_found(dirty: Shop) -> None:
    """What will be written is shown; after --absent the migration runs again."""
    listed = dirty.json("repair", code=3)
    assert dirty.of(listed)["repairs"] == [{"version": "2", "state": "dirty"}]
    dirty.query("DROP INDEX items_name; DELETE FROM items WHERE id = 2")
    result = dirty.run("repair", "2", "--absent", "--force")
    assert result.exit_code == 0
    assert 'DELETE FROM "public"."_sqlx_migrations" WHERE version = 2' in result.stdout
    assert dirty.run("migrate").exit_code == 0
    assert dirty.run("repair").stdout == f"{dirty.name}: nothing needs a repair\n"
    assert ("db repair 2 --absent --force", "done") in dirty.audit()


@pytest.mark.parametrize("found", ["applied", "absent"])
def test_the_remedy_of_a_dirty_migration_asks_what_is_there(dirty: Shop, found: str) -> None:
    """The command of the message, pasted whole, shows the file and takes the answer; nobody to ask changes nothing."""
    words = dirty.json("migrate", code=1)["error"]["remedy"].split()[2:]
    assert words == ["repair", "2"]
    nobody = dirty.json(*words, code=2)["error"]["message"]
    assert "--applied (all of it is there) or --absent (nothing is)" in nobody
    result = dirty.process(*words, answer=f"{found}\ny")
    assert result.returncode == 0, result.stderr
    assert "CREATE UNIQUE INDEX CONCURRENTLY items_name ON items (name);" in result.stdout
    assert "what of it is there" in result.stderr
    status = dirty.of(dirty.json("status"))["migrations"]
    assert (status["dirty"], "2" in status["pending"]) == ([], found == "absent")


def test_it_asks_before_it_writes(dirty: Shop) -> None:
    """Nobody to ask is exit code 2, `no` is 1; both leave the history as it is."""
    assert dirty.run("repair", "2", "--applied").exit_code == 2
    assert dirty.process("repair", "2", "--applied", answer="n").returncode == 1
    assert dirty.of(dirty.json("status"))["migrations"]["dirty"] == ["2"]
    assert dirty.process("repair", "2", "--applied", answer="y").returncode == 0
    assert dirty.of(dirty.json("status"))["migrations"]["dirty"] == []


@pytest.mark.parametrize(("way", "file"), [("--edited", "SELECT 1;\n"), ("--forget", None)])
def test_edited_and_missing_files_are_accepted(migrated: Shop, way: str, file: str | None) -> None:
    """--edited takes the file's checksum over, --forget drops the row of a file that is gone."""
    path = migrated.write("migrations/2_more.sql", "SELECT 2;\n")
    assert migrated.run("migrate").exit_code == 0
    if file is None:
        path.unlink()
    else:
        path.write_text(file)
    assert migrated.run("migrate").exit_code == 1
    assert migrated.run("repair", "2", way, "--force").exit_code == 0
    assert migrated.run("status", "--exit-code").exit_code == 0


def test_a_version_without_a_finding_is_a_usage_error(migrated: Shop) -> None:
    """What was found has to be said: exit code 2; what needs no repair is exit code 1."""
    assert migrated.run("repair", "1").exit_code == 2
    assert migrated.run("repair", "1", "--applied", "--force").exit_code == 1


def test_a_version_finds_its_database(dirty: Shop) -> None:
    """Among several databases the one with such a migration is meant, since messages name the version alone."""
    other = f"{dirty.name}_b"
    dirty.write("more/2_more.sql", "CREATE TABLE more (id int);\n")
    dirty.configure(
        f'[tool.pytest-devenv.databases.{other}]\nservice = "db"\nmigrations = {{ engine = "sqlx", path = "more" }}'
    )
    try:
        assert dirty.run("setup", "--database", other).exit_code == 0
        found = dirty.json("repair", "2", "--applied", "--force")
        assert list(found["databases"]) == [dirty.name]
    finally:
        dirty.server.drop_database(other)
