"""The commands of docs/tilt.md are ones that there are, and the triggers that it explains are the Tiltfile's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from pytest_devenv.cli import main
from tests.cluster.tilt.recovery import commands
from tests.unit.tiltfile.evaluating import ROOT, evaluated

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (ROOT / "docs" / "tilt.md").read_text()


def explained() -> Iterator[tuple[str, str]]:
    """Yield each row of the table of triggers: their names, and what they run."""
    table = TEXT.partition("## Triggers\n")[2].partition("\n## ")[0]
    for names, runs in re.findall(r"^\| ([a-z][a-z, -]+) \| `?([^`|]+)`? ", table, re.MULTILINE):
        for name in names.split(", "):
            if name != "trigger":
                yield name, runs


@pytest.mark.parametrize("words", [each for each in commands() if each[0] == "pytest-devenv"], ids=" ".join)
def test_command_of_the_recovery_chapter_is_there(words: list[str]) -> None:
    """Each word names a command, and each option is one that it takes."""
    command: click.Command | None = main
    context = click.Context(main)
    rest = words[1:]
    while isinstance(command, click.Group):
        command = command.get_command(context, rest.pop(0))
    assert command is not None
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known


def test_every_trigger_is_explained_with_what_it_runs() -> None:
    """The guide names all buttons, and the commands are those of the Tiltfile."""
    buttons = evaluated().buttons
    told = dict(explained())
    assert set(told) == set(buttons)
    for name, runs in told.items():
        if runs.startswith("pytest-devenv "):
            assert " ".join(buttons[name]["cmd"]).endswith(runs.strip()), name
