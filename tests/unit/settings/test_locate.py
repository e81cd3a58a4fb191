"""Which file configures an environment."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.read import find

if TYPE_CHECKING:
    from pathlib import Path

TABLE = '[tool.pytest-devenv]\nname = "x"\n'


def test_a_pyproject_with_the_table_is_found_from_a_folder_below(tmp_path: Path) -> None:
    """The nearest pyproject.toml with the table configures every folder below it."""
    (tmp_path / "pyproject.toml").write_text(TABLE)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    assert find(below) == tmp_path / "pyproject.toml"


def test_a_pyproject_without_the_table_is_passed_over(tmp_path: Path) -> None:
    """A pyproject.toml that only depends on pytest-devenv does not hide the one above that configures it."""
    (tmp_path / "pytest-devenv.toml").write_text('name = "x"\n')
    below = tmp_path / "a"
    below.mkdir()
    (below / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-devenv"]\n')

    assert find(below) == tmp_path / "pytest-devenv.toml"


def test_the_nearest_wins(tmp_path: Path) -> None:
    """A table in a folder hides the one above."""
    (tmp_path / "pyproject.toml").write_text(TABLE)
    below = tmp_path / "a"
    below.mkdir()
    (below / "pytest-devenv.toml").write_text('name = "y"\n')

    assert find(below) == below / "pytest-devenv.toml"


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    """A project without a table has no environment."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")

    assert find(tmp_path) is None


def test_two_configurations_in_one_folder_are_refused(tmp_path: Path) -> None:
    """A folder with a table and a pytest-devenv.toml is refused, since one of them would be ignored."""
    (tmp_path / "pyproject.toml").write_text(TABLE)
    (tmp_path / "pytest-devenv.toml").write_text('name = "y"\n')

    with pytest.raises(ConfigError) as refused:
        find(tmp_path)

    assert str(refused.value) == (
        "expected: one configuration of the environment in a folder\n"
        "  found: pytest-devenv.toml, and a [tool.pytest-devenv] table in pyproject.toml\n"
        f"  where: {tmp_path}\n"
        "  remedy: keep one of the two, and move into it what only the other says"
    )


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("[tool.pytest-devenv]\nname = \n", True),
        ("[tool.'pytest-devenv'.services.a]\n]", True),
        ("# pytest-devenv\n[broken", False),
        ("tool.pytest-devenv.name = 'x'", True),
        ("[tool]\npytest-devenv = { name = 'x' }", True),
        ("tool = 3 # pytest-devenv", False),
    ],
)
def test_a_table_is_known_however_it_is_written(tmp_path: Path, text: str, *, ours: bool) -> None:
    """Every way to write the table counts, and a broken file is ours if it has our header."""
    (tmp_path / "pyproject.toml").write_text(text)

    assert (find(tmp_path) is not None) is ours


def test_a_pyproject_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """A pyproject.toml that is a folder breaks no run."""
    (tmp_path / "pyproject.toml").mkdir()

    assert find(tmp_path) is None


def test_a_project_without_a_table_pays_under_a_millisecond(tmp_path: Path) -> None:
    """Looking for a table, twelve folders deep, costs a run less than 1 ms."""
    (tmp_path / "pyproject.toml").write_text("[project]\n" * 500)
    below = tmp_path.joinpath(*"abcdefghijkl")
    below.mkdir(parents=True)

    def took_s() -> float:
        start = time.perf_counter()
        find(below)
        return time.perf_counter() - start

    assert min(took_s() for _ in range(20)) < 0.001


def test_looking_for_a_table_loads_nothing_heavy() -> None:
    """The door of the settings and the options load neither the model nor any third-party module."""
    code = (
        "import sys, pytest_devenv.options, pytest_devenv.settings.read\n"
        "heavy = {'tomllib', 'rich', 'click', 'yaml', 'pytest', 'difflib', 'pytest_devenv.settings.model'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == "[]\n"
