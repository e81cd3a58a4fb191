"""`pytest-devenv config`: the settings as they are resolved, each value with its source."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.settings.problems import dotted
from pytest_devenv.settings.show import Leaf, Shown, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings

NOT_SET = "not set"
_WIDEST = 48


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON: by key path, the value and its source.")
def config(*, as_json: bool) -> None:
    """Print the settings as they are resolved, each value with its source.

    A value comes from the environment, the file or the default; pytest's own command line and ini file can override it
    in a run of pytest. Secrets are hidden.
    """
    settings = load_settings()
    if as_json:
        click.echo(to_json(settings))
    elif sys.stdout.isatty():
        _print_tree(settings)
    else:
        click.echo("\n".join(plain(settings)))


def to_json(settings: Settings) -> str:
    """Return the settings as one JSON object: `file`, `root`, and `settings` by key path."""
    tree = {
        "file": str(settings.file),
        "root": str(settings.root),
        "settings": {leaf.path: {"value": leaf.value, "source": leaf.source} for leaf in leaves(settings)},
    }
    return json.dumps(tree, indent=2, ensure_ascii=False)


def plain(settings: Settings) -> Iterator[str]:
    """Yield lines that read as TOML, with each source as a comment."""
    yield f"# {settings.file}"
    for table, group in _by_table(settings):
        rows = list(group)
        yield ""
        if table:
            yield f"[{dotted(table)}]"
        texts = [f"{dotted([row.key])} = {toml(row.value)}" for row in rows if row.value is not None]
        width = max((len(text) for text in texts if len(text) <= _WIDEST), default=0)
        for row in rows:
            if row.value is None:
                yield f"# {row.key} is {NOT_SET}"
            else:
                yield f"{f'{dotted([row.key])} = {toml(row.value)}':<{width}}  # {row.source}"


def toml(value: Shown) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(toml(each) for each in value)}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _by_table(settings: Settings) -> Iterator[tuple[tuple[str, ...], Iterator[Leaf]]]:
    return groupby(leaves(settings), key=lambda leaf: leaf.table)


def _print_tree(settings: Settings) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(settings.name, style="bold") + Text(f"  {settings.file}", style="dim"), guide_style="dim")
    branches: dict[tuple[str, ...], Tree] = {(): tree}
    for table, group in _by_table(settings):
        rows = Table.grid(padding=(0, 2))
        rows.add_column(no_wrap=True)
        rows.add_column(overflow="fold")
        rows.add_column(style="dim", overflow="fold")
        for row in group:
            unset = row.value is None
            value = Text(NOT_SET, style="dim") if unset else Text(toml(row.value), style="cyan")
            rows.add_row(Text(row.key), value, Text("" if unset else row.source))
        for depth in range(1, len(table) + 1):
            if table[:depth] not in branches:
                name = Text(table[depth - 1], style="bold")
                branches[table[:depth]] = branches[table[: depth - 1]].add(name)
        branches[table].add(rows)
    Console().print(tree)
