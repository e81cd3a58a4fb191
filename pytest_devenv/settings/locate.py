"""Which file configures the environment: the only part of the settings that runs in every project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_devenv.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

OWN_FILE = "pytest-devenv.toml"
PROJECT_FILE = "pyproject.toml"
TABLE = "pytest-devenv"

# A file with a syntax error is ours if it seems to have our table: reading it then says what is wrong.
_HEADER = rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*[\"']?pytest-devenv"


def find(start: Path) -> Path | None:
    """Return the nearest file that configures an environment, looking in `start` and in each folder above it.

    That is a pyproject.toml with a `[tool.pytest-devenv]` table, or a pytest-devenv.toml. Raises `ConfigError` where
    one folder has both. A pyproject.toml that cannot be read is passed over, since most of them are not ours.
    """
    here = start.absolute()
    for folder in (here, *here.parents):
        own, project = folder / OWN_FILE, folder / PROJECT_FILE
        has_own, has_table = own.is_file(), _has_table(project)
        if has_own and has_table:
            message = (
                "expected: one configuration of the environment in a folder\n"
                f"  found: {OWN_FILE}, and a [tool.{TABLE}] table in {PROJECT_FILE}\n"
                f"  where: {folder}"
            )
            raise ConfigError(message, remedy="keep one of the two, and move into it what only the other says")
        if has_own:
            return own
        if has_table:
            return project
    return None


def _has_table(project: Path) -> bool:
    try:
        data = project.read_bytes()
    except OSError:
        return False
    if TABLE.encode() not in data:
        return False
    import tomllib

    try:
        tool = tomllib.loads(data.decode()).get("tool")
    except (ValueError, RecursionError):
        return re.search(_HEADER, data, re.MULTILINE) is not None
    return isinstance(tool, dict) and TABLE in tool
