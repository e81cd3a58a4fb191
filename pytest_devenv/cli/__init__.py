"""The pytest-devenv command: a table of commands, each loaded when it is called."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from pytest_devenv.errors import ConfigError, DevenvError

if TYPE_CHECKING:
    from pytest_devenv.settings import Settings


class Lazy(NamedTuple):
    """Where a command is, as `module:attribute`, and its line in the help."""

    place: str
    help: str


COMMANDS: dict[str, Lazy] = {
    "config": Lazy("pytest_devenv.cli.config:config", "Print the settings, each value with its source."),
    "env": Lazy(
        "pytest_devenv.cli.env:env", "Leave an environment running on this machine: up, status, url, exec, down."
    ),
    "db": Lazy("pytest_devenv.cli.db:db", "Build, fill and look at the databases: migrate, seed, status, reset, …"),
    "report": Lazy("pytest_devenv.cli.report:report", "Make one report of those of several runs: merge."),
    "loop": Lazy("pytest_devenv.cli.loop:loop", "Time how long an edit takes until it is live."),
    "validate": Lazy(
        "pytest_devenv.cli.validate:validate", "Check settings, files, manifests, Tiltfile and tools; start nothing."
    ),
    "guide": Lazy("pytest_devenv.cli.guide:guide", "Be led to a healthy environment, one remedy after another."),
    "init": Lazy("pytest_devenv.cli.init:init", "Write a first [tool.pytest-devenv] table from what is here."),
}


class LazyGroup(click.Group):
    """The commands of the table. An error that we raise on purpose is printed, and never a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names, without loading anything."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Load one command."""
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table, without loading anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in sorted(COMMANDS)])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; exit with 2 where the configuration is wrong, with 1 for any other error of ours."""
        try:
            return super().invoke(ctx)
        except DevenvError as error:
            click.echo(str(error), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pytest-devenv", prog_name="pytest-devenv")
def main() -> None:
    """Know in a second whether a development environment is healthy, why not, and what mends it."""


def load_settings(start: Path | None = None) -> Settings:
    """Return the settings of the environment that `start`, or else the working directory, belongs to.

    Raises `ConfigError` where there is none, or where it is wrong.
    """
    from pytest_devenv.options import overrides
    from pytest_devenv.settings.read import find, read

    here = Path.cwd() if start is None else start
    file = find(here)
    if file is None:
        message = (
            "expected: a [tool.pytest-devenv] table in pyproject.toml, or a pytest-devenv.toml\n"
            f"  found: neither\n  where: {here} and every folder above it"
        )
        raise ConfigError(message, remedy="pytest-devenv init --write")
    return read(file, overrides=overrides(os.environ), environ=os.environ)
