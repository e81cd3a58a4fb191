"""`pytest-devenv report`: reports that runs have written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from pytest_devenv.errors import DevenvError


@click.group()
def report() -> None:
    """Work with the JSON reports that `--devenv-report` writes."""


@report.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE...")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the one report here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print the one report as JSON.")
def merge(files: tuple[Path, ...], *, output: Path | None, as_json: bool) -> None:
    """Make one report of those of several shards, and show it.

    A FILE is a report, or a log that ends with one. Exits as a run of all would have.
    """
    from pytest_devenv.report.jsonfile import from_json, write
    from pytest_devenv.report.shards import merge as merged
    from pytest_devenv.report.terminal import render
    from pytest_devenv.report.view import view_for

    whole = merged([_read(file) for file in files])
    run = from_json(whole)
    if output is not None:
        write(run, output)
    if as_json:
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        click.echo(render(run, view_for(sys.stdout)), nl=False)
    raise SystemExit(run.exit_code)


def _read(file: Path) -> dict[str, Any]:
    """Return the report of a file, or the one at the end of a log. Raises DevenvError."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        message = f"expected a report, found: {error.strerror}, looked in {file}"
        raise DevenvError(message, remedy="name the files that --devenv-report wrote") from error
    start = 0 if text.startswith("{\n") else text.rfind("\n{\n") + 1
    try:
        found = json.loads(text[start:])
    except json.JSONDecodeError:
        found = None
    if isinstance(found, dict):
        return found
    message = f"expected a JSON report, or a log that ends with one, found neither in {file}"
    raise DevenvError(message, remedy="run pytest with --devenv-report=FILE, and name that file")
