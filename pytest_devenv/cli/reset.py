"""`pytest-devenv env reset`: every database of the environment made anew, while nobody works on it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.in_cluster import in_cluster, judge
from pytest_devenv.cli.job import DEADLINE_S, run, tell_tilt
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment


@click.command()
@click.option("--timeout", "deadline_s", type=click.FloatRange(min=1), default=DEADLINE_S, show_default=True)
@click.option("--force", is_flag=True, help="Do not ask. The guard still judges.")
def reset(*, deadline_s: float, force: bool) -> None:
    """Make every database of the environment anew: stop what works on it, drop, create, migrate, start again.

    The guard judges all databases before anything is stopped. What was stopped is started again also where a step
    fails. The Jobs that migrate are deleted and run again, so that they tell of the new databases.
    """
    from pytest_devenv.clients.kubernetes.stopping import stopped

    settings = load_settings()
    judge(settings, "databases")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Tilt ends a trigger so
    with in_cluster(settings) as (environment, cluster):
        click.echo("the guard judges every database")
        _judge_each(environment)
        if not force:
            names = ", ".join(settings.databases)
            click.confirm(f"destroy {names} in {cluster.namespace} of {cluster.context}, with all data?", abort=True)
        workloads = tuple(at_work(settings))
        with stopped(cluster.api, cluster.namespace, workloads, deadline_s=deadline_s, on_step=click.echo):
            for name in settings.databases:
                _make_anew(name)
            for job in _migrating(settings):
                run(cluster, job, deadline_s=deadline_s)
                tell_tilt(settings.root, job)
    click.echo(f"{settings.name} has new databases; fill them: pytest-devenv db seed, or tilt trigger db-seed")


def at_work(settings: Settings) -> Iterator[str]:
    """Yield the workloads that work on a database: of services that require its server, or a Job that migrates it."""
    from pytest_devenv.clients.kubernetes.stopping import SCALED

    servers = {database.service for database in settings.databases.values()}
    jobs = {each.name for each in settings.services.values() if each.kind is ServiceKind.JOB}
    for service in settings.services.values():
        kind = (service.workload or "").partition("/")[0]
        if kind in SCALED and service.name not in servers and {*service.requires} & (servers | jobs):
            yield str(service.workload)


def _migrating(settings: Settings) -> Iterator[str]:
    for service in settings.services.values():
        kind, _, name = (service.workload or "").partition("/")
        if service.kind is ServiceKind.JOB and kind == "job":
            yield name


def _judge_each(environment: Environment) -> None:
    """Refuse a database that is not ours to destroy. Raises GuardError."""
    from pytest_devenv.cli.db.place import address_of
    from pytest_devenv.clients.marker import require_changeable
    from pytest_devenv.migrate.session import connected

    settings = environment.settings
    for name in settings.databases:
        address = address_of(environment, name)
        with connected(address, deadline_s=settings.deadline_s) as connection:
            require_changeable(connection, settings.environment, address)


def _make_anew(database: str) -> None:
    """Drop, create and migrate one database; exit as that command does where it fails."""
    from pytest_devenv.cli.db.reset import reset as anew

    code = anew.main(["--database", database, "--force"], prog_name="reset", standalone_mode=False)
    if code:
        raise SystemExit(code)
