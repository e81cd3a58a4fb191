"""The two distributions: the code, and the name that people install."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ONLY_HERE = {"test"}


def project(folder: Path) -> dict[str, Any]:
    """Return the project table of a folder's pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return table


def test_both_are_of_one_version() -> None:
    """Whoever installs `pytest-devenv` gets the code of the same version."""
    code, entry = project(ROOT), project(ROOT / "entry")
    assert entry["version"] == code["version"]
    assert entry["dependencies"] == [f"pytest-devenv-core=={code['version']}"]


def test_every_extra_is_to_be_had_under_the_name_that_people_install() -> None:
    """`pytest-devenv[extra]` brings what the code needs for it, for every extra but our own tests'."""
    code, entry = project(ROOT), project(ROOT / "entry")
    extras = set(code["optional-dependencies"]) - ONLY_HERE
    assert entry["optional-dependencies"] == {name: [f"pytest-devenv-core[{name}]"] for name in extras}


def test_both_describe_themselves_alike() -> None:
    """What an index shows of one is true of the other."""
    code, entry = project(ROOT), project(ROOT / "entry")
    for key in ("description", "license", "requires-python", "keywords", "classifiers"):
        assert entry[key] == code[key]


def test_the_entry_point_is_installed_here_as_users_have_it() -> None:
    """Pytest rewrites the package of a plugin whose install is editable; of a copy that has no code it does not."""
    lines = [each for each in (ROOT / "Makefile").read_text().splitlines() if "pip install" in each]
    assert [each.endswith(" --no-deps ./entry") for each in lines if "entry" in each] == [True]
