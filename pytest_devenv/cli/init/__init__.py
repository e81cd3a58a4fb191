"""`pytest-devenv init`: a first table, written from what the project already says about its environment."""

from __future__ import annotations

from pathlib import Path

import click

from pytest_devenv.cli.init.render import render
from pytest_devenv.cli.init.survey import survey
from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.load import parse
from pytest_devenv.settings.locate import OWN_FILE, PROJECT_FILE, TABLE, find


@click.command()
@click.option("--write/--print", "write", default=False, help="Write the table, or only print it (the default).")
@click.option("--force", is_flag=True, help="Write a table here although a folder above has one.")
def init(*, write: bool, force: bool) -> None:
    """Write a commented first table from what is here: manifests, Tiltfile, compose.yaml, .env, migrations.

    The table goes to the end of pyproject.toml, or to a new pytest-devenv.toml where there is no pyproject.toml. One
    that is already there is never changed.
    """
    folder = Path.cwd()
    file = destination(folder)
    table = first_table(folder, file)
    if not write:
        click.echo(table, nl=False)
        return
    _refuse_second(folder, force=force)
    append(file, table)
    click.echo(f"wrote [tool.{TABLE}] to {file}" if file.name == PROJECT_FILE else f"wrote {file}", err=True)
    click.echo("next: read it over, then run pytest -m health", err=True)


def destination(folder: Path) -> Path:
    """Return the file that a table for this folder goes to."""
    project = folder / PROJECT_FILE
    return project if project.is_file() else folder / OWN_FILE


def first_table(folder: Path, file: Path) -> str:
    """Return the text of a first table, which is known to validate as part of that file."""
    table = render(survey(folder), prefix=f"tool.{TABLE}" if file.name == PROJECT_FILE else "")
    parse(file, table, {}, {})
    return table


def append(file: Path, table: str) -> None:
    """Add the table at the end of a file, in the file's own line endings. Raises `ConfigError` if that cannot be."""
    try:
        before = file.read_bytes().decode() if file.exists() else ""
        gap = "" if before == "" else "\n" if before.endswith("\n") else "\n\n"
        added = f"{gap}{table}"
        parse(file, f"{before}{added}", {}, {})
        with file.open("a", encoding="utf-8", newline="\r\n" if "\r\n" in before else "\n") as end:
            end.write(added)
    except (OSError, UnicodeDecodeError) as wrong:
        found = wrong.strerror if isinstance(wrong, OSError) else "not UTF-8"
        message = f"expected: a file that can be read and written\n  found: {found}\n  where: {file}"
        raise ConfigError(message, remedy=f"pytest-devenv init --print, and add it to {file.name}") from wrong


def _refuse_second(folder: Path, *, force: bool) -> None:
    there = find(folder)
    if there is None or (force and there.parent != folder):
        return
    message = f"expected: no configuration of an environment yet\n  found: one\n  where: {there}"
    here = there.parent == folder
    raise ConfigError(message, remedy="edit it" if here else "edit it, or say --force for another one here")
