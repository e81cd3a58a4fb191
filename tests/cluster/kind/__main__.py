"""`python -m tests.cluster.kind up`, `down`, `status`, `env`, `exec`, `prepare`: what the Makefile calls."""

from __future__ import annotations

import os
import shlex
import sys

import click

from pytest_devenv.errors import DevenvError
from tests.cluster.kind import binaries, cluster, engine, node_image, packages, place, remains
from tests.cluster.kind.say import StepError, step

_MISSING = "it is not there, or does not answer: make cluster"


@click.group(help=__doc__)
def main() -> None:
    """Make the cluster of the tests, reach it, and take it away."""


@main.command()
def up() -> None:
    """Make the cluster, and before it what this machine lacks for it."""
    with place.alone(), step("the cluster of the tests"):
        own_engine = _prepare()
        image = None
        if own_engine:
            if not engine.answers():
                remains.take_away()  # an engine that was killed left what a new one would stumble over
            remains.remember_sysctls()
            engine.ensure()
            image = node_image.ensure()
        path = cluster.way(own_engine=own_engine, image=image)
        cluster.create(path)
    click.echo(cluster.explanation(path))


@main.command()
def prepare() -> None:
    """Only make what is kept: packages and programs. It may run beside other work."""
    with place.alone():
        _prepare()


@main.command()
def down() -> None:
    """Take everything away, also after a crash. What is kept in the cache stays."""
    with place.alone():
        if remains.there():
            remains.take_away()
        elif engine.another_answers():
            with step("delete the cluster"):
                cluster.delete(cluster.way(own_engine=False))


@main.command()
def status() -> None:
    """Say how the cluster is reached; fails where it does not answer."""
    path = _way()
    if cluster.run(path, ["kubectl", "get", "--raw=/readyz", "--request-timeout=10s"], quiet=True) != 0:
        raise StepError(_MISSING)
    click.echo(cluster.explanation(path))


@main.command()
def env() -> None:
    """Print the variables that reach the cluster, for a shell; the command itself goes after the words of `status`."""
    for name, value in _way().variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command(name="exec", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(words: tuple[str, ...]) -> None:
    """Run a command where the cluster can be reached, and exit as it does."""
    sys.exit(cluster.run(_way(), list(words)))


def _prepare() -> bool:
    """Make the programs that this machine lacks; return whether the engine is to be ours too. Raises StepError."""
    if not remains.there() and engine.another_answers():
        missing = binaries.CLIENTS if not binaries.on_path(binaries.CLIENTS) else frozenset[str]()
        if "KUBEBUILDER_ASSETS" not in os.environ:
            missing |= binaries.CONTROL_PLANE
        binaries.ensure(missing)
        return False
    if os.geteuid() != 0:
        msg = "missing: a Docker engine that answers `docker info`, or root to start one"
        raise StepError(msg)
    packages.ensure()
    binaries.ensure()
    return True


def _way() -> cluster.Way:
    """Return how the cluster is reached, where it is there; raises StepError."""
    if engine.answers():
        return cluster.way(own_engine=True, image=node_image.tag())
    if remains.there() or not engine.another_answers():
        raise StepError(_MISSING)
    return cluster.way(own_engine=False)


if __name__ == "__main__":
    try:
        main()
    except (StepError, DevenvError) as error:
        click.echo(f"the cluster of the tests: {error}", err=True)
        sys.exit(1)
