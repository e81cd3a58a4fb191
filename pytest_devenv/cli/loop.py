"""`pytest-devenv loop`: time how long an edit takes until it is live."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import ConfigError, TargetError

if TYPE_CHECKING:
    from rich.console import Console

    from pytest_devenv.loop.model import Sample
    from pytest_devenv.run import Devenv
    from pytest_devenv.settings import Loop, Settings

FAULTY = 1
RUNS = 5
MOST_RUNS = 100


@click.command()
@click.argument("name", required=False)
@click.option(
    "--runs", type=click.IntRange(1, MOST_RUNS), default=RUNS, show_default=True, metavar="N", help="How many edits."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def loop(name: str | None, *, runs: int, as_json: bool) -> None:
    """Edit a file, and time how long it takes until the service answers with the edit: one loop, or all of them.

    The file is put back byte for byte, after SIGKILL by the next run. Times are kept on this machine, so that a loop
    which is slower than usual is told. Exits 1 where an edit does not become live within its budget.
    """
    settings = load_settings()
    target, found = time_loops(settings, _chosen(settings, name), runs, quiet=as_json)
    if as_json:
        click.echo(json.dumps({"environment": settings.name, "target": target, "loops": found}, indent=2))
    if any(each["verdict"]["state"] != "pass" for each in found):
        raise SystemExit(FAULTY)


def time_loops(settings: Settings, loops: list[Loop], runs: int, *, quiet: bool) -> tuple[str, list[dict[str, Any]]]:
    """Time loops one after another, print them unless `quiet`; return the target, and each loop as plain values.

    Raises DevenvError where one cannot be timed.
    """
    from pytest_devenv.every import every_probe
    from pytest_devenv.loop.limits import loops_on
    from pytest_devenv.loop.measure import without_cluster
    from pytest_devenv.run import Devenv

    console = _console(quiet=quiet)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: with the file put back
    with Devenv(settings, every_probe(settings)) as devenv:
        devenv.expect_edits()
        for note in devenv.environment.notes:
            click.echo(note, err=True)
        here = loops_on(devenv.target, loops)
        if not here:
            raise without_cluster(loops[0], devenv.environment)
        for each in loops:
            if each not in here:
                click.echo(f"{each.name} is not timed: its edits are seen in a cluster alone", err=True)
        return devenv.target.value, [_time(devenv, each, runs, console) for each in here]


def _chosen(settings: Settings, name: str | None) -> list[Loop]:
    if not settings.loops:
        msg = f"expected a loop in the settings, found none, looked in {settings.file}"
        raise ConfigError(msg, remedy="describe one: [tool.pytest-devenv.loops.NAME] with edit and observe")
    if name is None:
        return list(settings.loops.values())
    if name not in settings.loops:
        msg = f"expected the name of a loop ({', '.join(settings.loops)}), found {name}, looked in {settings.file}"
        raise ConfigError(msg, remedy="pytest-devenv loop times all of them")
    return [settings.loops[name]]


def _time(devenv: Devenv, loop: Loop, runs: int, console: Console) -> dict[str, Any]:
    """Time one loop, print it, and return it as plain values. Raises DevenvError where it cannot be timed."""
    from pytest_devenv.loop import judge
    from pytest_devenv.loop.measure import NotLiveError
    from pytest_devenv.loop.timing import timed_and_kept
    from pytest_devenv.probes.root import root_id
    from pytest_devenv.report.failure import failure_text
    from pytest_devenv.report.loops import plain, shown

    root = devenv.verdict(root_id(devenv.settings.services[loop.observe.service]))
    if not root.passed:
        msg = f"{loop.name} cannot be timed, since {loop.observe.service} is not well: {root.summary}"
        raise TargetError(msg, remedy=root.remedy or "pytest -m health")
    try:
        with console.status(f"timing {loop.name}") as status:

            def told(sample: Sample) -> None:
                status.update(f"timing {loop.name}: {judge.said(sample.total_s)}")

            measured, usual, verdict = timed_and_kept(loop, devenv.environment, runs=runs, on_sample=told)
    except NotLiveError as error:
        verdict = judge.not_live(loop, error)
        console.print(failure_text(verdict), markup=False, highlight=False, soft_wrap=True)
        return {"loop": loop.name, "edit": loop.edit, "url": error.url, "verdict": verdict.to_json()}
    for part in shown(measured, usual, verdict):
        console.print(part, highlight=False, soft_wrap=True)
    console.print()
    return plain(measured, usual, verdict)


def _console(*, quiet: bool) -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, quiet=quiet)
