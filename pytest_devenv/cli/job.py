"""`pytest-devenv env job`: run a Job of the environment again, and say how it went."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.in_cluster import in_cluster, judge
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.targets.environment import Environment

FAULTY = 1
PENDING = 3
DEADLINE_S = 300.0


@click.command()
@click.argument("name")
@click.option("--timeout", "deadline_s", type=click.FloatRange(min=1), default=DEADLINE_S, show_default=True)
@click.option("--migrated", is_flag=True, help="Refuse while a migration is pending, in any database.")
@click.option("--verify", is_flag=True, help="Look at the schema afterwards, of every database that the Job migrates.")
def job(name: str, *, deadline_s: float, migrated: bool, verify: bool) -> None:
    """Run a Job of the environment's namespace again: deleted, made anew, waited for, its log shown.

    One that was suspended is suspended again afterwards: after success, failure, the deadline, or Ctrl-C. Exits 0 when
    it completed, 1 when it failed or the schema is not as it should be, and 3 where `--migrated` found a pending
    migration.
    """
    settings = load_settings()
    judge(settings, "Jobs")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Tilt ends a trigger so
    with in_cluster(settings) as (environment, cluster):
        if migrated:
            _refuse_pending(environment)
        run(cluster, name, deadline_s=deadline_s)
        if verify:
            _verify(environment, name)
    tell_tilt(settings.root, name)


def run(cluster: Cluster, name: str, *, deadline_s: float) -> None:
    """Run a Job again and print its log. Raises TargetError where it fails, and WaitTimeoutError."""
    from pytest_devenv.clients.kubernetes.jobs import run_again

    ended = run_again(cluster.api, cluster.namespace, name, deadline_s=deadline_s, on_step=click.echo)
    if ended.log:
        click.echo(ended.log)
    if not ended.succeeded:
        msg = f"expected the job {name} to complete, found that it failed: {ended.reason}"
        raise TargetError(msg, remedy=f"mend what its log says, then: pytest-devenv env job {name}")
    click.echo(f"{name} has completed in {ended.took_s:.1f} s")


def tell_tilt(root: Path, name: str) -> None:
    """Have a Tilt that saw the Job fail look again, where one runs: it follows the Job that it has made itself."""
    from pytest_devenv.clients.tilt.client import TiltError, running
    from pytest_devenv.clients.tilt.program import NoTiltError

    try:
        tilt = running(root)
        seen = tilt.resources().get(name)
        if seen is not None and seen.is_failing:
            click.echo(f"Tilt saw {name} fail: asking it to run it once more, so that it goes on with what waits")
            tilt.ask(name)
    except NoTiltError:
        return
    except TiltError as error:
        click.echo(f"Tilt was not told: {error.message}", err=True)


def _verify(environment: Environment, name: str) -> None:
    """Look at what the Job has made; exit with 1 where that is not as the settings say."""
    from pytest_devenv.cli.schema_looks import schema_of, told
    from pytest_devenv.probes.jobs import migrated_by

    settings = environment.settings
    service = next((each for each in settings.services.values() if each.workload == f"job/{name}"), None)
    databases = settings.databases if service is None else {each.name for each in migrated_by(settings, service)}
    click.echo("the schema, looked at afterwards:")
    if not told(schema_of(environment, databases)):
        raise SystemExit(FAULTY)


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
