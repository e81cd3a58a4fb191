"""`pytest-devenv env`: leave the environment running on this machine, see it, end it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings

if TYPE_CHECKING:
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.targets.embedded.record import Record

FAULTY = 1


@click.group()
def env() -> None:
    """Run the environment as processes of this machine, and leave it running."""


@env.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def up(*, as_json: bool) -> None:
    """Start the environment and leave it running; `pytest -m health` then attaches to it.

    Exits 0 when every service came up, 1 when one did not or has died since: the others keep running.
    """
    from pytest_devenv.targets.embedded import instance as instances
    from pytest_devenv.targets.embedded.start import start

    settings = load_settings()
    running = instances.kept(settings)
    if running is not None:
        _show(settings, running[1], as_json=as_json, said="was up already")
        return
    own = instances.create(settings, name=instances.project_key(settings))
    try:
        record = start(settings, own, keep=True)
    except BaseException:
        own.destroy()
        raise
    own.release()
    _show(settings, record, as_json=as_json, said="is up")


@env.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(*, as_json: bool) -> None:
    """Show the environment that is up: exits 0 when one is, 1 when none is."""
    settings = load_settings()
    running = _kept(settings)
    if running is None:
        if as_json:
            click.echo(json.dumps({"environment": settings.name, "up": False}))
        else:
            click.echo(f"{settings.name} is not up\n  start it: pytest-devenv env up")
        raise SystemExit(FAULTY)
    _show(settings, running[1], as_json=as_json, said="is up")


@env.command()
def down() -> None:
    """End the environment that `env up` left running, and remove its data. Safe to repeat."""
    from pytest_devenv.targets.embedded.instance import sweep_up

    settings = load_settings()
    sweep_up()
    running = _kept(settings)
    if running is None:
        click.echo(f"{settings.name} is not up: nothing to end")
        return
    running[0].destroy()
    click.echo(f"{settings.name} is down: its processes have ended and its data is gone")


def _kept(settings: Settings) -> tuple[Instance, Record] | None:
    from pytest_devenv.targets.embedded.instance import kept

    return kept(settings)


def _show(settings: Settings, record: Record, *, as_json: bool, said: str) -> None:
    """Print how each service is reached, without credentials; exit 1 where one did not come up or has died."""
    died = record.died()
    if as_json:
        click.echo(json.dumps(_plain(settings, record, died), indent=2))
    else:
        click.echo(f"{settings.name} {said}")
        width = max((len(name) for name in settings.services), default=0)
        for name in settings.services:
            click.echo(f"  {name:<{width}}  {_line(name, record, died)}")
        click.echo("  look at it: pytest -m health    end it: pytest-devenv env down")
    if record.faults or died:
        raise SystemExit(FAULTY)


def _line(name: str, record: Record, died: frozenset[str]) -> str:
    if name in died:
        return "has died since\n      remedy: pytest-devenv env down && pytest-devenv env up"
    if name in record.faults:
        fault = record.faults[name]
        return f"not up: {fault.summary}" + (f"\n      remedy: {fault.remedy}" if fault.remedy else "")
    if name in record.endpoints:
        return record.endpoints[name].base_url
    return "done" if name in record.timings_s else "not started, since what it requires is not up"


def _plain(settings: Settings, record: Record, died: frozenset[str]) -> dict[str, object]:
    return {
        "environment": settings.name,
        "up": True,
        "services": {
            name: {
                "address": record.endpoints[name].address if name in record.endpoints else None,
                "url": record.endpoints[name].base_url if name in record.endpoints else None,
                "pid": record.processes[name][0] if name in record.processes else None,
                "running": name in record.processes and name not in died,
                "fault": record.faults[name].summary if name in record.faults else None,
                "started_in_s": record.timings_s.get(name),
            }
            for name in settings.services
        },
    }
