"""The commands that messages print: each one works as it is printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from pytest_devenv.cli.db import db
from pytest_devenv.probes import commands
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop

PACKAGE = Path(__file__).parents[3] / "pytest_devenv"
WORDS = re.compile(r"pytest-devenv (db(?: [a-z0-9_{}()./=-]+| --[a-z-]+)+)")


def printed() -> set[str]:
    """Return every command on databases that stands in a text of the package, with its placeholders."""
    texts = (path.read_text() for path in sorted(PACKAGE.rglob("*.py")) if "cli/db" not in str(path))
    return {match[1] for text in texts for match in WORDS.finditer(text)}


def test_every_printed_command_and_option_exists() -> None:
    """No message names a command or an option that there is not."""
    found = printed()
    assert len(found) > 15
    for line in found:
        name, *rest = line.split()[1:]
        command = db.get_command(click.Context(db), name)
        assert command is not None, line
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= known, line


def test_what_probes_print_works(shop: Shop) -> None:
    """`migrate`, `setup` and `reset` of the verdicts' remedies are whole command lines."""
    for line in (commands.migrate(shop.name), commands.setup(shop.name), commands.reset(shop.name) + " --force"):
        program, *words = shlex.split(line)
        assert program == "pytest-devenv"
        assert shop.run(*words[1:]).exit_code == 0


def test_a_pending_migration_leads_to_a_healthy_database(shop: Shop) -> None:
    """The remedy of the verdict on pending migrations, run as it is printed, is what makes it pass."""
    from pytest_devenv.probes.catalog import catalog
    from pytest_devenv.targets.addresses import resolve
    from pytest_devenv.targets.choose import choose

    settings = read(shop.path / "pyproject.toml")
    environment = resolve(settings, choose(settings))
    name = f"migrations.all_applied[{shop.name}]"
    remedy = catalog(settings)[name].look(environment).remedy
    assert remedy is not None
    assert shop.run(*shlex.split(remedy)[2:]).exit_code == 0
    assert catalog(settings)[name].look(environment).passed


def test_the_way_out_of_a_refusal(shop: Shop) -> None:
    """The guard says how to adopt, adopting says how to confirm, and then the first command works."""
    shop.query("CREATE TABLE theirs (id int)")
    words = ["migrate"]
    for _ in range(2):
        remedy = shop.json(*words, code=4)["error"]["remedy"]
        words = shlex.split(remedy.partition("pytest-devenv ")[2])[1:]
    assert shop.run(*words).exit_code == 0
    assert shop.run("migrate").exit_code == 0


@pytest.mark.parametrize(
    ("edit", "expected"),
    [("edited", "--edited"), ("gone", "--forget")],
)
def test_the_way_out_of_a_contradiction(migrated: Shop, edit: str, expected: str) -> None:
    """The repair that a refused migration names is whole, but for the question."""
    path = migrated.path / "migrations/1_items.up.sql"
    if edit == "edited":
        path.write_text("-- a comment more\n" + path.read_text())
    else:
        path.unlink()
        (migrated.path / "migrations/1_items.down.sql").unlink()
    remedy = migrated.json("migrate", code=1)["error"]["remedy"]
    line = remedy.rpartition("pytest-devenv db ")[2]
    assert line == f"repair 1 {expected}"
    assert migrated.process(*line.split(), answer="y").returncode == 0
    assert migrated.run("migrate").exit_code == 0


@pytest.mark.parametrize("fault", ["unregistered", "changed", "outdated", "ahead", "orphaned"])
def test_the_ways_out_of_a_seed_check(sown: Shop, fault: str) -> None:
    """Every remedy of `seed-check`, run as it is printed, leaves nothing of what it was printed for."""
    path = sown.path / "seeds/development/20_people.sql"
    text = path.read_text()
    if fault == "ahead":
        path.write_text(text.replace("version: 1", "version: 2"))
    if fault != "unregistered":
        assert sown.run("seed").exit_code == 0
    if fault == "unregistered":
        sown.sow("more", layer="test", number=90)
    elif fault == "orphaned":
        path.unlink()
    elif fault == "changed":
        path.write_text(text + "-- a comment more\n")
    else:
        path.write_text(text.replace("version: 1", f"version: {2 if fault == 'outdated' else 1}"))
    assert sown.run("seed-check").exit_code == 3
    for _ in range(2):  # the registry has its own finding, and the database its own
        for finding in sown.of(sown.json("seed-check", code=3))["findings"]:
            words = shlex.split(finding["remedy"])
            assert words[:2] == ["pytest-devenv", "db"]
            assert sown.process(*words[2:], answer="y").returncode == 0, finding
        if sown.run("seed-check").exit_code == 0:
            return
    pytest.fail(sown.run("seed-check").output)


def test_the_ways_of_seeds(sown: Shop) -> None:
    """Unknown names lead to the list, missing tables to `migrate`, what is depended on to its dependent."""
    remedy = sown.json("seed", "--only", "sates", code=1)["error"]["remedy"]
    assert sown.run(*remedy.partition("pytest-devenv db ")[2].split()).exit_code == 0
    path = sown.path / "seeds/development/20_people.sql"
    path.write_text(path.read_text().replace("-- dependencies:", "-- dependencies: states"))
    assert sown.run("seed").exit_code == 0
    remedy = sown.json("seed-rollback", "states", "--force", code=1)["error"]["remedy"]
    assert sown.process(*remedy.partition("pytest-devenv db ")[2].split(), answer="y").returncode == 0
    assert sown.run("seed-rollback", "states", "--force").exit_code == 0
    assert sown.run("seed").exit_code == 0
    sown.query("UPDATE items SET name = 'mine' WHERE name = 'people'")
    remedy = sown.json("seed-rollback", "people", "--force", code=1)["error"]["remedy"]
    words = remedy.partition("pytest-devenv db ")[2].split()
    assert words == ["reset", "--seed"]
    assert sown.process(*words, answer="y").returncode == 0
