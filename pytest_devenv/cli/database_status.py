"""`pytest-devenv env db-status`: the Jobs that migrate, and of each database its history, schema and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.schema_looks import schema_of, told
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.settings import Database, Settings
    from pytest_devenv.targets.environment import Environment

FAULTY = 1


@click.command("db-status")
def db_status() -> None:
    """Show how every database stands: the Job that migrated it, its history, its schema, and how many rows it has.

    Exits 1 where a migration or something that the settings require is missing.
    """
    from pytest_devenv.cli.db.place import running

    settings = load_settings()
    with running(settings) as environment:
        if environment.cluster is not None:
            _jobs(settings, environment.cluster)
        found = [_database(environment, database) for database in settings.databases.values()]
    if not all(found):
        raise SystemExit(FAULTY)


def _jobs(settings: Settings, cluster: Cluster) -> None:
    from pytest_devenv.clients.kubernetes.services import workloads

    named = {each.workload for each in settings.services.values() if each.kind is ServiceKind.JOB}
    for each in workloads(cluster.api, cluster.namespace):
        if each.name in named:
            click.echo(f"{each.name}: {each.state}")


def _database(environment: Environment, database: Database) -> bool:
    """Print how a database stands; return whether its schema is as it should be."""
    from pytest_devenv.cli.db.place import address_of
    from pytest_devenv.cli.db.rows import count_rows
    from pytest_devenv.clients.postgres import connect
    from pytest_devenv.migrate import engine_for

    settings = environment.settings
    address = address_of(environment, database.name)
    click.echo(f"\n{address}\n history")
    if database.migrations is not None:
        seen = engine_for(database, settings.root).status(address, deadline_s=settings.deadline_s)
        for row in seen.applied:
            when = "" if row.applied_at is None else f", applied {row.applied_at:%Y-%m-%d %H:%M:%S}"
            click.echo(f"  {row.version}  {row.description}{', left half way' if row.dirty else when}")
        for pending in seen.pending:
            click.echo(f"  {pending.version}  {pending.description}, pending")
    click.echo(" schema")
    well = told(schema_of(environment, {database.name}))
    click.echo(" rows")
    with connect(address, deadline_s=settings.deadline_s) as connection:
        for table, count in count_rows(connection).items():
            click.echo(f"  {table}: {count:,}")
    return well
