"""Production and staging: migrated with a person's word alone, looked at afterwards, and never reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop


@pytest.fixture
def production(shop: Shop) -> Shop:
    """Give a production database that holds two rows, without any marker, and a migration that is pending."""
    shop.configure('required_tables = ["items"]', top='environment = "production"')
    assert shop.run("migrate", "--confirm", shop.name).exit_code == 0
    shop.query("INSERT INTO items VALUES (1, 'one'), (2, 'two')")
    shop.write("migrations/2_price.sql", "ALTER TABLE items ADD price int;\n")
    return shop


def test_it_shows_the_sql_and_looks_afterwards(production: Shop) -> None:
    """With --confirm it shows what runs, names what has no way back, and verifies schema and rows; it marks nothing."""
    result = production.run("migrate", "--confirm", production.name)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        f"{production.database}: 1 to apply",
        "  2 (price)  [no way back]",
        "    ALTER TABLE items ADD price int;",
        "  without a way back: 2 (price)",
    ]
    assert lines[-2:] == [
        "  looked at afterwards: history and schema are whole",
        "  rows of public._sqlx_migrations: 1 → 2",
    ]
    assert production.query("SELECT to_regclass('pytest_devenv.marker')") == [(None,)]
    assert production.audit() == [(f"db migrate --confirm {production.name}", "done")] * 2


@pytest.mark.parametrize(("typed", "code"), [("yes", 4), ("", 4), ("{name}", 0)])
def test_the_name_is_typed(production: Shop, typed: str, code: int) -> None:
    """At a terminal the name itself is wanted; anything else is refused, after the SQL was shown."""
    result = production.process("migrate", answer=typed.format(name=production.name))
    assert result.returncode == code, result.stderr
    assert "ALTER TABLE items ADD price int;" in result.stdout
    assert production.of(production.json("current"))["current"] == (["2"] if code == 0 else ["1"])


@pytest.mark.parametrize("words", [[], ["--confirm", "shop"], ["--verbose"]])
def test_without_the_name_it_is_refused(production: Shop, words: list[str]) -> None:
    """Exit code 4 without a terminal, or with another name, whatever the marker says."""
    words = [*words, "--database", production.name]
    found = production.json("migrate", *words, code=4)
    remedy = f"pytest-devenv db migrate --env production --confirm {production.name}"
    assert found["error"]["remedy"] == remedy
    assert production.json(*remedy.split()[2:])["result"] == "done"


def test_rows_that_are_gone_are_told(production: Shop) -> None:
    """A migration that takes rows away is told of, table by table."""
    production.write("migrations/3_empty.sql", "DELETE FROM items WHERE id = 2;\n")
    found = production.json("migrate", "--confirm", production.name)
    assert production.of(found)["rows"]["public.items"] == {"before": 2, "after": 1}
    production.write("migrations/4_empty.sql", "DELETE FROM items;\n")
    result = production.run("migrate", "--confirm", production.name)
    assert result.exit_code == 0
    assert "warning: public.items had 1 rows and has 0" in result.stderr


def test_a_schema_that_is_not_whole_afterwards_fails(production: Shop) -> None:
    """Exit code 1 where something that the settings require is not there after the run."""
    production.write("migrations/3_drop.sql", "ALTER TABLE items RENAME TO things;\n")
    found = production.json("migrate", "--confirm", production.name, code=1)
    facts = production.of(found)
    assert (facts["verified"], len(facts["faults"])) == (False, 1)
    assert "items" in facts["faults"][0]


def test_a_dry_run_and_a_status_need_no_word(production: Shop) -> None:
    """Looking changes nothing, and is allowed."""
    assert production.run("migrate", "--dry-run").exit_code == 0
    assert production.run("status", "--exit-code").exit_code == 3


@pytest.mark.parametrize("tier", ["production", "staging"])
@pytest.mark.parametrize(
    "words",
    [["reset", "--force"], ["rollback", "--force"], ["setup"], ["seed-rollback", "states", "--force"]],
    ids=lambda words: words[0],
)
def test_what_destroys_never_runs_there(sown: Shop, tier: str, words: list[str]) -> None:
    """Not even in a database that carries the marker: exit code 4, and everything is as it was."""
    assert sown.run("seed").exit_code == 0
    assert sown.run(*words, "--env", tier).exit_code == 4
    assert sown.query("SELECT count(*) FROM items") == [(2,)]


def test_adopting_for_production_is_refused(shop: Shop) -> None:
    """A production database never says that it may be changed."""
    result = shop.run("adopt", shop.name, "--environment", "production", "--confirm", shop.name)
    assert result.exit_code == 4
    assert shop.query("SELECT to_regnamespace('pytest_devenv')") == [(None,)]


def test_seeds_of_the_base_layer_alone(sown: Shop) -> None:
    """With the name given, production gets the base layer, and nothing of development or test."""
    refused = sown.json("seed", "--env", "production", code=4)
    remedy = refused["error"]["remedy"]
    assert remedy == f"pytest-devenv db seed --env production --confirm {sown.name}"
    found = sown.json(*remedy.split()[2:])
    assert [one["name"] for one in sown.of(found)["seeded"]] == ["states"]
    assert sown.run("seed", "--env", "production", "--confirm", sown.name, "--only", "people").exit_code == 1
    assert sown.query("SELECT name FROM items") == [("states",)]
    typed = sown.process("seed", "--env", "staging", "--force", answer=sown.name)
    assert typed.returncode == 0, typed.stderr
    assert "re-apply states (base), version 1: states" in typed.stdout
