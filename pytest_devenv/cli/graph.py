"""`pytest-devenv env graph`: what depends on what, and where it is broken."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings

if TYPE_CHECKING:
    from pytest_devenv.report.graph import Node
    from pytest_devenv.settings import Settings

FAULTY = 1
FORMATS = ("text", "mermaid", "dot", "json")


@click.command()
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What is drawn.")
@click.option("--no-look", is_flag=True, help="Draw what the settings say, and look at nothing.")
def graph(*, form: str, no_look: bool) -> None:
    """Draw the services and databases, what each requires, and its verdict; root failures are marked.

    Looks as `pytest -m health` does: at the environment that is up, or at one that is started for it. Exits 0 when
    nothing fails, 1 when something does or could not be looked at; with --no-look, 0.
    """
    from pytest_devenv.cli.looking import health
    from pytest_devenv.report.graph import nodes
    from pytest_devenv.verdict import State

    settings = load_settings()
    run = None if no_look else health(settings)
    found = nodes(settings, run)
    click.echo(_drawn(settings, found, form))
    if run is not None and run.state not in {State.PASS, State.OFF}:
        raise SystemExit(FAULTY)


def _drawn(settings: Settings, found: tuple[Node, ...], form: str) -> str:
    from pytest_devenv.report import drawing
    from pytest_devenv.report.graph import plain

    match form:
        case "mermaid":
            return drawing.mermaid(found)
        case "dot":
            return drawing.dot(settings.name, found)
        case "json":
            return json.dumps(plain(settings, found), indent=2, ensure_ascii=False)
        case _:
            from pytest_devenv.report.terminal import written
            from pytest_devenv.report.view import view_for

            view = view_for(sys.stdout)
            return written(drawing.tree(settings.name, found, view), view).rstrip("\n")
