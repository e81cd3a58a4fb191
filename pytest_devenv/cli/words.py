"""Whether words are a command of `pytest-devenv`, told without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import main
from pytest_devenv.settings.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence


def refused(words: Sequence[str]) -> str | None:
    """Return why these words are no command of ours, None where they are one."""
    command: click.Command = main
    context = click.Context(main, info_name="pytest-devenv")
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        found = command.get_command(context, name)
        if found is None:
            near = did_you_mean(name, command.list_commands(context))
            return f"there is no command {name!r}" + ("" if near is None else f", {near}")
        command, context = found, click.Context(found, parent=context, info_name=name)
    if isinstance(command, click.Group) and not rest:
        return f"{context.command_path} wants a command"
    try:
        command.make_context(context.info_name, rest, parent=context.parent)
    except click.UsageError as error:
        return error.format_message()
    except click.exceptions.Exit:
        return None
    return None
