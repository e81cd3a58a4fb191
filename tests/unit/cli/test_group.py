"""The command itself."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from pytest_devenv import cli
from pytest_devenv.cli import COMMANDS, Lazy, main
from pytest_devenv.errors import ConfigError, DevenvError, GuardError


@click.command()
@click.argument("how")
def fails(how: str) -> None:
    """Fail in the way that was asked for."""
    raise {"config": ConfigError, "guard": GuardError}.get(how, DevenvError)("expected: x\n  found: y", remedy="do z")


@pytest.mark.parametrize(("how", "code"), [("config", 2), ("guard", 1), ("other", 1)])
def test_an_error_of_ours_is_one_message_and_no_traceback(monkeypatch: pytest.MonkeyPatch, how: str, code: int) -> None:
    """A wrong configuration exits with 2, anything else with 1, and the message stands alone on stderr."""
    monkeypatch.setitem(cli.COMMANDS, "fails", Lazy(f"{__name__}:fails", "Fail."))

    result = CliRunner().invoke(main, ["fails", how])

    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "expected: x\n  found: y\n  remedy: do z\n"


def test_the_help_lists_every_command_of_the_table() -> None:
    """Each command has its line, with the help that the table gives."""
    result = CliRunner().invoke(main, ["--help"])

    assert result.exit_code == 0
    for name, lazy in COMMANDS.items():
        assert f"  {name}" in result.output
        assert lazy.help.split(".")[0][:40] in result.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_can_be_loaded(name: str) -> None:
    """The place of each command in the table is right."""
    assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_an_unknown_command_is_a_usage_error() -> None:
    """A mistyped command exits with 2."""
    result = CliRunner().invoke(main, ["cofnig"])

    assert result.exit_code == 2
    assert "No such command 'cofnig'" in result.stderr


def test_the_version_is_printed() -> None:
    """--version names the program and its version."""
    assert CliRunner().invoke(main, ["--version"]).output.startswith("pytest-devenv, version ")


def test_help_loads_no_command_and_nothing_heavy() -> None:
    """The command starts fast: neither pytest nor rich nor yaml is loaded for the help."""
    code = (
        "import sys\nfrom pytest_devenv.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'rich', 'yaml', 'pytest', 'psycopg', 'pytest_devenv.cli.config', 'pytest_devenv.settings.model'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.endswith("\n[]\n")


def test_the_command_is_a_module_that_runs() -> None:
    """`python -m pytest_devenv` is the command, with its output and its exit code."""
    words = [sys.executable, "-m", "pytest_devenv"]
    told = subprocess.run([*words, "--version"], capture_output=True, text=True, check=True).stdout
    wrong = subprocess.run([*words, "cofnig"], capture_output=True, text=True, check=False)

    assert told.startswith("pytest-devenv, version ")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Usage: pytest-devenv ")
    assert "No such command 'cofnig'" in wrong.stderr
