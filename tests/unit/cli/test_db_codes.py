"""How a `db` command ends, and which commands there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_devenv.cli import main
from pytest_devenv.cli.db import COMMANDS
from pytest_devenv.cli.db.codes import Code, UsageError, code_of
from pytest_devenv.errors import (
    ConfigError,
    DevenvError,
    GuardError,
    LockedError,
    MigrationError,
    SeedError,
    TargetError,
    WaitTimeoutError,
)
from pytest_devenv.seed import SeedingLockedError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DevenvError("x"), 1),
        (MigrationError("x"), 1),
        (SeedError("x"), 1),
        (TargetError("x"), 1),
        (WaitTimeoutError("x"), 1),
        (ConfigError("x"), 2),
        (UsageError("x"), 2),
        (GuardError("x"), 4),
        (LockedError("x"), 5),
        (SeedingLockedError("x"), 5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_error_has_its_code(error: DevenvError, code: int) -> None:
    """Usage is 2, the guard 4, a lock 5, everything else 1."""
    assert code_of(error) == code


def test_the_codes_are_documented() -> None:
    """docs/db.md names each code as the help does."""
    text = (Path(__file__).parents[3] / "docs" / "db.md").read_text()
    for code in Code:
        assert f"| {int(code)} |" in text
    assert "0 done, 1 failed, 2 usage, 3 pending" in " ".join(CliRunner().invoke(main, ["db", "--help"]).output.split())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_help_and_the_options_of_all(name: str) -> None:
    """Each command can be loaded, says what it does, and takes --json, --env, --database and the target."""
    result = CliRunner().invoke(main, ["db", name, "--help"])
    assert result.exit_code == 0
    for option in ("--json", "--env", "--database", "--devenv-target"):
        assert option in result.output
    docs = (Path(__file__).parents[3] / "docs" / "db.md").read_text()
    assert f"`{name}" in docs


def test_an_unknown_command_is_a_usage_error() -> None:
    """Exit code 2."""
    assert CliRunner().invoke(main, ["db", "migrat"]).exit_code == 2
