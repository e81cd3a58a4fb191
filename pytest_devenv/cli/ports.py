"""`pytest-devenv env ports`: who holds a port already, before anything is started there."""

from __future__ import annotations

import os

import click

from pytest_devenv.errors import ConfigError
from pytest_devenv.options import VALIDATING


@click.command()
@click.argument("claims", nargs=-1, required=True, metavar="NAME=PORT...")
def ports(claims: tuple[str, ...]) -> None:
    """Name whoever holds one of these local ports; says nothing where all are free.

    What this command's own parents hold is theirs: a Tilt that asks holds its forwards itself. Exits 0 either way.
    `pytest-devenv validate` has a Tiltfile evaluated whoever holds a port just now.
    """
    if VALIDATING in os.environ:
        return
    from pytest_devenv.clients.processes import family, listeners, process

    ours = family(os.getpid())
    held = {each.port: each for each in listeners() if each.pid not in ours}
    for name, port in map(_claim, claims):
        if port not in held:
            continue
        pid = held[port].pid
        owner = None if pid is None else process(pid)
        end = f"sudo ss -ltnp 'sport = :{port}'" if owner is None else f"kill {owner.pid}"
        click.echo(
            f"the port of {name} is taken\n  expected: {port} free\n  found: {owner or 'a process of somebody else'}\n"
            f"  remedy: {end}"
        )


def _claim(word: str) -> tuple[str, int]:
    name, _, port = word.partition("=")
    if not name or not port.isdecimal():
        msg = f"expected NAME=PORT, found {word!r}"
        raise ConfigError(msg, remedy="pytest-devenv env ports backend=3000")
    return name, int(port)
