"""The fixture `seeded_database`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

SEED = """-- name: {name}
-- version: 1
-- description: {name}
-- dependencies:
INSERT INTO items (name) VALUES ('{name}');
"""
TEST = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(seeded_database, number):
    with seeded_database.connect() as connection:
        rows = connection.execute("SELECT name FROM items ORDER BY id").fetchall()
    assert [row[0] for row in rows] == NAMES
"""


@pytest.fixture
def sown(project: Project) -> Project:
    """Give the project with a seed in each layer."""
    for number, layer in enumerate(("base", "development", "test"), 1):
        folder = project.path / "seeds" / layer
        folder.mkdir(parents=True)
        (folder / f"{number}0_{layer}_rows.sql").write_text(SEED.format(name=f"{layer}_rows"))
    project.configure('seeds = "seeds"')
    return project


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--devenv-environment=development"], ["base_rows", "development_rows"]),
        (["--devenv-environment=test"], ["base_rows", "development_rows", "test_rows"]),
        (["--devenv-environment=test", "-n", "3"], ["base_rows", "development_rows", "test_rows"]),
    ],
    ids=["development", "test", "xdist"],
)
def test_it_has_what_the_environment_gets(sown: Project, words: list[str], names: list[str]) -> None:
    """The migrations and the layers of this environment are applied once, whatever the number of workers."""
    (sown.path / "test_own.py").write_text(TEST.replace("NAMES", repr(names)))
    sown.run(*words).assert_outcomes(passed=6)
    sown.run(*words).assert_outcomes(passed=6)
    with connect(sown.database) as connection:
        rows = connection.execute("SELECT name, status::text FROM seed_history ORDER BY id").fetchall()
    assert rows == [(name, "Active") for name in names]


def test_it_refuses_a_database_that_is_not_ours(sown: Project) -> None:
    """A database that holds data and carries no marker is not seeded: the error says how to adopt it."""
    with connect(sown.database) as connection:
        connection.execute("CREATE TABLE somebody_elses (id int)")
    (sown.path / "test_own.py").write_text("def test_it(seeded_database): pass\n")
    result = sown.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*it does not say that it is a development database*", "*pytest-devenv db adopt *"])


def test_production_is_never_seeded(sown: Project) -> None:
    """In production and staging the fixture is an error, and nothing is written."""
    (sown.path / "test_own.py").write_text("def test_it(seeded_database): pass\n")
    for tier in ("production", "staging"):
        result = sown.run(f"--devenv-environment={tier}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"*the environment is {tier} and nobody confirmed it*"])
    with connect(sown.database) as connection:
        assert connection.execute("SELECT to_regclass('items')").fetchone() == (None,)


def test_without_seeds_it_says_what_to_set(project: Project) -> None:
    """A database without seeds is an error of one message, which names the key."""
    (project.path / "test_own.py").write_text("def test_it(seeded_database): pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["expected seeds for the database *, found none, looked in *", '*seeds = "seeds"'])


def test_its_documentation_is_for_users(project: Project) -> None:
    """`pytest --fixtures` tells what it gives."""
    project.run("--fixtures").stdout.fnmatch_lines(["seeded_database*", "    Give *"])
