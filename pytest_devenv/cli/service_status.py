"""`pytest-devenv env service-status`: what runs, its restarts, what it uses, and how long it took to build."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.in_cluster import in_cluster
from pytest_devenv.settings.amounts import Amount, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.clients.kubernetes.services import Workload

FAULTY = 1
_COLUMNS = ("workload", "state", "restarts", "cpu", "memory", "disk", "last build")


@click.command("service-status")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def service_status(*, as_json: bool) -> None:
    """Show each workload of the namespace: its state, restarts, CPU, memory and disk, and its last build under Tilt.

    What is used is what the kubelets have measured, at most some ten seconds ago. Exits 1 where one is not well.
    """
    from pytest_devenv.clients.kubernetes.services import workloads

    settings = load_settings()
    with in_cluster(settings) as (_, cluster):
        found = workloads(cluster.api, cluster.namespace)
    builds, why = _builds(settings.root)
    if as_json:
        whole = {
            "environment": settings.name,
            "context": cluster.context,
            "namespace": cluster.namespace,
            "workloads": [{**asdict(each), "last_build_s": builds.get(_resource(each))} for each in found],
            "without_builds": why,
        }
        click.echo(json.dumps(whole, indent=2))
    else:
        click.echo(f"{settings.name} in {cluster.namespace}, context {cluster.context}")
        _print([_COLUMNS, *(_row(each, builds) for each in found)])
        if why is not None:
            click.echo(f"no build times: {why}")
    ill = [each for each in found if not each.well]
    for each in ill:
        click.echo(f"{each.name} is not well: {each.state}\n  remedy: {_describe(cluster, each)}", err=True)
    if ill:
        raise SystemExit(FAULTY)


def _builds(root: Path) -> tuple[dict[str, float], str | None]:
    """Return how long the last build of each of Tilt's resources took, in seconds, or why nothing is known."""
    from pytest_devenv.clients.tilt.client import TiltError, running
    from pytest_devenv.clients.tilt.program import NoTiltError

    try:
        resources = running(root).resources().values()
    except (NoTiltError, TiltError) as error:
        return {}, error.message
    return {each.name: each.builds[0].took_s for each in resources if each.builds}, None


def _resource(workload: Workload) -> str:
    """Return what Tilt calls a workload: by its name, where no other kind has the same."""
    return workload.name.partition("/")[2]


def _row(each: Workload, builds: Mapping[str, float]) -> tuple[str, ...]:
    took_s = builds.get(_resource(each))
    none = "not measured yet" if each.unmeasured else "-"
    return (
        each.name,
        each.state,
        str(each.restarts),
        none if each.cpu_cores is None else f"{each.cpu_cores * 1000:.0f}m",
        none if each.memory_bytes is None else str(Amount(each.memory_bytes, Unit.BYTES)),
        none if each.disk_bytes is None else str(Amount(each.disk_bytes, Unit.BYTES)),
        "-" if took_s is None else str(Amount(took_s, Unit.SECONDS)),
    )


def _print(rows: list[tuple[Any, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _describe(cluster: Cluster, each: Workload) -> str:
    return f"{cluster.api.access.kubectl} --namespace {cluster.namespace} describe {each.name}"
