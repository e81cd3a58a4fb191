"""`pytest-devenv env cleanup`: what an environment has left behind, and nobody needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.in_cluster import in_cluster, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.clients.kubernetes.strays import Stray
    from pytest_devenv.settings import Settings

_ENDED = ("Succeeded", "Failed")


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def cleanup(*, dry_run: bool) -> None:
    """Remove what this environment has left behind: pods that have ended, dead forwards, rehearsals, edited files.

    Of a Job its newest pod stays, with its log. Forwards are those of kubectl, of this user, to this namespace, that
    lead nowhere; each is ended by its pid. What is of another namespace is left alone.
    """
    from pytest_devenv.clients.kubernetes.strays import end

    settings = load_settings()
    judge(settings, "what was left")
    word = "would remove" if dry_run else "removing"
    removed = 0
    with in_cluster(settings) as (_, cluster):
        path = f"/api/v1/namespaces/{cluster.namespace}/pods"
        for pod in ended(cluster.api.list(path)):
            click.echo(f"{word} pod/{pod['metadata']['name']}, which has {pod['status']['phase'].lower()}")
            removed += 1
            if not dry_run:
                _delete(cluster.api, f"{path}/{pod['metadata']['name']}")
        for stray in _strays(settings, cluster):
            click.echo(f"{word} {stray}, which leads nowhere")
            removed += 1
            if not dry_run:
                end(stray)
        if not dry_run:
            for note in _swept(cluster.api):
                click.echo(note)
                removed += 1
        click.echo(f"{removed or 'nothing'} {'to remove' if dry_run else 'removed'} in {cluster.namespace}")


def ended(pods: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the pods that have ended, but the newest of each Job: its log is the Job's."""
    newest: dict[str, str] = {}
    for pod in pods:
        job = _job(pod)
        if job is not None:
            newest[job] = max(newest.get(job, ""), _made(pod))
    for pod in pods:
        job = _job(pod)
        if pod.get("status", {}).get("phase") in _ENDED and (job is None or _made(pod) != newest[job]):
            yield pod


def _job(pod: dict[str, Any]) -> str | None:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in owners if each["kind"] == "Job"), None)


def _made(pod: dict[str, Any]) -> str:
    """Return when a pod was made, with its name, since two may be of one second."""
    return f"{pod['metadata'].get('creationTimestamp', '')} {pod['metadata']['name']}"


def _delete(api: Api, path: str) -> None:
    from pytest_devenv.clients.kubernetes import ApiError

    try:
        api.request("DELETE", path)
    except ApiError as error:
        if not error.missing:  # somebody else was faster
            raise


def _strays(settings: Settings, cluster: Cluster) -> tuple[Stray, ...]:
    from pytest_devenv.clients.kubernetes.kubeconfig import current_context
    from pytest_devenv.clients.kubernetes.strays import strays

    kinds = {each.port: each.kind for each in settings.services.values() if each.port is not None}
    return tuple(
        strays(
            cluster.context,
            cluster.namespace,
            current=current_context(os.environ),
            kinds=kinds,
            deadline_s=settings.deadline_s,
        )
    )


def _swept(api: Api) -> Iterator[str]:
    """Remove what killed runs have left: rehearsals of the migration, and files that a loop had edited."""
    from pytest_devenv.cli.rehearsal.stage import sweep
    from pytest_devenv.loop.edit import put_back_all

    sweep(api)
    yield from put_back_all()
