"""`pytest-devenv db status`, `current`, `history`, `create` and `lint`: what changes no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop


def test_status_tells_what_is_pending(shop: Shop) -> None:
    """An empty database has everything pending; only --exit-code makes that exit code 3."""
    result = shop.run("status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        str(shop.database),
        "  marker      none, and the database is empty",
        "  migrations  sqlx: 0 applied, 1 pending",
        "    pending   1 (items)",
    ]
    found = shop.json("status", "--exit-code", code=3)
    assert found["result"] == "pending"
    facts = shop.of(found)
    assert (facts["clean"], facts["migrations"]["pending"], facts["seeds"]) == (False, ["1"], None)
    assert shop.query("SELECT to_regnamespace('pytest_devenv')") == [(None,)]


def test_status_of_a_current_database_is_clean(migrated: Shop) -> None:
    """With everything applied --exit-code is 0, and the marker is told."""
    result = migrated.run("status", "--exit-code")
    assert result.exit_code == 0
    assert "  migrations  sqlx: 1 applied, 0 pending, at 1" in result.stdout
    assert "  marker      development, filled " in result.stdout


def test_status_names_what_is_out_of_date(migrated: Shop) -> None:
    """Edited and missing files are named, each on its line."""
    migrated.write("migrations/2_gone.sql", "SELECT 1;\n")
    assert migrated.run("migrate").exit_code == 0
    (migrated.path / "migrations/2_gone.sql").unlink()
    migrated.write("migrations/1_items.up.sql", "CREATE TABLE items ();\n")
    result = migrated.run("status", "--exit-code")
    assert result.exit_code == 3
    assert "    edited    1 (items): 1_items.up.sql" in result.stdout
    assert "    missing   2 (gone)" in result.stdout


def test_status_tells_of_seeds(sown: Shop) -> None:
    """The seeds of this environment count too: pending ones are named, those of another are off."""
    found = sown.of(sown.json("status", "--exit-code", code=3))
    assert [(one["name"], one["state"]) for one in found["seeds"]["seeds"]] == [
        ("states", "pending"),
        ("people", "pending"),
        ("cases", "off"),
    ]
    assert "  seeds       2 pending, 1 off" in sown.run("status").stdout


def test_status_tells_how_a_seed_differs(sown: Shop) -> None:
    """A seed of another version is named with both versions, an edited one with what was edited."""
    assert sown.run("seed").exit_code == 0
    for path, before, after in (
        ("seeds/base/10_states.sql", "version: 1", "version: 2"),
        ("seeds/development/20_people.sql", "dependencies:", "dependencies:\n"),
    ):
        sown.write(path, (sown.path / path).read_text().replace(before, after))
    shown = sown.run("status").stdout
    assert "    outdated  states (base): version 1 is applied, version 2 is here" in shown
    assert "    changed   people (development): code" in shown


def test_current_is_the_last_one(shop: Shop) -> None:
    """`current` names the version that comes last, and says when there is none."""
    assert shop.run("current").stdout == f"{shop.name}: nothing is applied\n"
    assert shop.run("migrate").exit_code == 0
    assert shop.run("current").stdout == f"{shop.name}: 1 (head)\n"
    assert shop.of(shop.json("current")) == {"current": ["1"], "heads": ["1"]}


def test_history_lists_every_migration(migrated: Shop) -> None:
    """`history` tells of each migration what became of it; --verbose adds file, way back, checksum and duration."""
    migrated.write("migrations/2_more.sql", "SELECT 1;\n")
    rows = migrated.of(migrated.json("history"))["migrations"]
    assert [(row["version"], row["state"]) for row in rows] == [("1", "applied"), ("2", "pending")]
    assert Path(rows[0]["file"]) == migrated.path / "migrations/1_items.up.sql"
    lines = migrated.run("history").stdout.splitlines()
    assert lines[0] == f"{migrated.database}: 1 applied, 1 pending"
    assert lines[2] == "  2  pending  more"
    verbose = migrated.run("history", "--verbose").stdout
    assert f"way back: {migrated.path}/migrations/1_items.down.sql" in verbose
    assert f"checksum: {rows[0]['checksum']}" in verbose


def test_create_needs_no_server(shop: Shop) -> None:
    """`create` writes both files of a new migration, though nothing answers at the address."""
    shop.configure(url="postgresql://127.0.0.1:1")
    files = shop.of(shop.json("create", "add_price", "--no-tx"))["files"]
    assert [Path(file).name.partition("_")[2] for file in files] == ["add_price.up.sql", "add_price.down.sql"]
    assert Path(files[0]).read_text().startswith("-- no-transaction")
    result = shop.run("create", "a/b")
    assert result.exit_code == 1
    assert "pytest-devenv db create add_users" in result.stderr


def test_lint_finds_what_would_block(shop: Shop) -> None:
    """Exit code 1 with each finding, its reason and the safe way; 0 where there is none."""
    assert shop.run("migrate").exit_code == 0
    clean = shop.run("lint")
    assert (clean.exit_code, clean.stdout) == (0, f"{shop.database}: squawk finds nothing in what is pending\n")
    shop.write("migrations/2_index.sql", "CREATE INDEX items_name ON items (name);\n")
    found = shop.json("lint", code=1)
    rules = {one["rule"] for one in shop.of(found)["findings"]}
    assert "require-concurrent-index-creation" in rules
    assert "safe way: " in shop.run("lint").stdout


def test_lint_without_squawk_says_what_to_install(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra that brings squawk nothing counts as looked at."""
    monkeypatch.setattr("pytest_devenv.migrate.lint.squawk_program", lambda: None)
    found = shop.json("lint", code=1)
    assert found["error"]["message"].startswith("squawk is not installed")
    assert found["error"]["remedy"] == "pip install 'pytest-devenv[lint]'"


@pytest.fixture
def jobs(shop: Shop) -> Shop:
    """Give a project whose database is migrated by the revisions of the reference environment."""
    root = Path(__file__).parents[3] / "migrations" / "jobs"
    for path in (*root.glob("*.*"), *root.glob("versions/*.py")):
        shop.write(f"migrations/{path.relative_to(root)}", path.read_text())
    shop.configure(engine="alembic")
    for role in ("authenticated", "service_role"):
        shop.query(f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    return shop


def test_alembic_is_asked_in_its_own_words(jobs: Shop) -> None:
    """`current` marks the head, and `history --verbose` prints what Alembic does."""
    assert jobs.run("current").stdout == f"{jobs.name}: nothing is applied\n"
    assert [one["version"] for one in jobs.of(jobs.json("migrate"))["applied"]] == ["001"]
    assert jobs.run("current").stdout == f"{jobs.name}: 001 (head)\n"
    assert "Rev: 001 (head)" in jobs.run("history", "--verbose").stdout
    plan = jobs.of(jobs.json("rollback", "--to", "base", "--dry-run"))
    assert "DROP TABLE" in plan["steps"][0]["sql"]


def test_stamp_notes_where_a_database_is(jobs: Shop) -> None:
    """`repair` leads to it; what is noted now and would be is shown first, and nothing is run."""
    assert jobs.run("migrate").exit_code == 0
    jobs.query("DELETE FROM alembic_version")
    result = jobs.run("repair", "001", "--applied", "--force")
    assert result.exit_code == 1
    words = result.stderr.rpartition("pytest-devenv db ")[2].replace("REVISION", "head").split()
    asked = jobs.run(*words)
    assert (asked.exit_code, "alembic_version: base → 001" in asked.stdout) == (2, True)
    assert jobs.process(*words, answer="n").returncode == 1
    assert jobs.process(*words, answer="y").returncode == 0
    assert jobs.run("current").stdout == f"{jobs.name}: 001 (head)\n"
    found = jobs.json("stamp", "base", "--force")
    assert (jobs.of(found)["before"], jobs.of(found)["after"]) == (["001"], [])
    assert jobs.run("stamp", "zz", "--force").exit_code == 1
    assert "job" in jobs.tables()
    assert ("db stamp base --force", "done") in jobs.audit()


def test_stamp_is_for_alembic_and_for_databases_that_are_ours(jobs: Shop) -> None:
    """A database without a marker is refused, production wants its name, and an SQL history has rows to repair."""
    assert jobs.run("stamp", "001", "--force").exit_code == 4
    assert jobs.run("stamp", "001", "--force", "--env", "production").exit_code == 4
    assert jobs.run("stamp", "001", "--confirm", jobs.name, "--env", "production").exit_code == 0
    (jobs.path / "migrations/alembic.ini").unlink()
    jobs.configure()
    result = jobs.run("stamp", "001", "--force")
    assert result.exit_code == 2
    assert "pytest-devenv db repair" in result.stderr


@pytest.mark.parametrize("command", ["status", "migrate", "current", "rollback", "reset", "seed-check"])
def test_where_nothing_runs_the_message_says_how_to_start_it(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory, command: str
) -> None:
    """On the embedded target no throw-away environment is started for a command: exit code 1, and `env up`."""
    state = tmp_path_factory.mktemp("state")
    shop.configure('seeds = "seeds"')
    shop.sow("states")
    assert shop.run("seed-sync").exit_code == 0
    variables = {"PYTEST_DEVENV_STATE": str(state), "PYTEST_DEVENV_TARGET": "embedded"}
    result = shop.run(command, **variables)
    if command == "seed-check":  # what needs no database is looked at
        assert (result.exit_code, "the database was not looked at: shop is not up" in result.stderr) == (0, True)
        return
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "shop is not up",
        "  expected: an environment that is running, since a database command starts none of its own",
        "  found: none on this machine (set by environment PYTEST_DEVENV_TARGET)",
        f"  where: {shop.path}/pyproject.toml",
        "  remedy: pytest-devenv env up, or --devenv-target=addresses for servers of your own",
    ]
    assert not [path for path in state.iterdir() if path.is_dir()]
    there = shop.run(command, "--devenv-target=addresses", **variables)
    assert "is not up" not in there.stderr


def test_without_a_table_the_message_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 where nothing configures an environment."""
    from click.testing import CliRunner

    from pytest_devenv.cli import main

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["db", "status"])
    assert result.exit_code == 2
    assert "remedy: pytest-devenv init --write" in result.stderr
