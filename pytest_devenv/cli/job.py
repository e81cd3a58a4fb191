"""`pytest-devenv env job`: run a Job of the environment again, and say how it went."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import GuardError, TargetError
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

FAULTY = 1
PENDING = 3
_DEADLINE_S = 300.0


@click.command()
@click.argument("name")
@click.option("--timeout", "deadline_s", type=click.FloatRange(min=1), default=_DEADLINE_S, show_default=True)
@click.option("--migrated", is_flag=True, help="Refuse while a migration is pending, in any database.")
def job(name: str, *, deadline_s: float, migrated: bool) -> None:
    """Run a Job of the environment's namespace again: deleted, made anew, waited for, its log shown.

    One that was suspended is suspended again afterwards: after success, failure, the deadline, or Ctrl-C. Exits 0 when
    it completed, 1 when it failed, and 3 where `--migrated` found a pending migration.
    """
    from pytest_devenv.clients.kubernetes.jobs import run_again
    from pytest_devenv.targets.choose import choose
    from pytest_devenv.targets.opening import opened

    settings = load_settings()
    _judge(settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Tilt ends a trigger so
    choice = choose(settings)
    if choice.target is not TargetName.CLUSTER:
        msg = f"expected an environment in a cluster, found the target {choice.target}: {choice.why}"
        raise TargetError(msg, remedy="PYTEST_DEVENV_TARGET=cluster")
    with opened(settings, choice) as environment:
        cluster = environment.cluster
        assert cluster is not None, choice  # noqa: S101  # the target is one
        if migrated:
            _refuse_pending(environment)
        ended = run_again(cluster.api, cluster.namespace, name, deadline_s=deadline_s, on_step=click.echo)
    if ended.log:
        click.echo(ended.log)
    if not ended.succeeded:
        msg = f"expected the job {name} to complete, found that it failed: {ended.reason}"
        raise TargetError(msg, remedy=f"mend what its log says, then: pytest-devenv env job {name}")
    click.echo(f"{name} has completed in {ended.took_s:.1f} s")


def _judge(settings: Settings) -> None:
    if not settings.environment.changeable:
        msg = f"expected environment development or test, found {settings.environment}, looked in {settings.file}"
        raise GuardError(msg, remedy="run Jobs of other environments by their own means")


def _refuse_pending(environment: Environment) -> None:
    """Refuse where a database is not migrated. Raises TargetError for one that cannot be looked at."""
    from pytest_devenv.migrate import engine_for

    settings = environment.settings
    for name, database in settings.databases.items():
        if database.migrations is None:
            continue
        pending = engine_for(database, settings.root).status(environment.address(name)).pending
        if pending:
            click.echo(
                f"expected the database {name} migrated, found {len(pending)} pending, looked at "
                f"{environment.address(name)}\n  remedy: tilt trigger db-migrate, or: pytest-devenv db migrate",
                err=True,
            )
            raise SystemExit(PENDING)
