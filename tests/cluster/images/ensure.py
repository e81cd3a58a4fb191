"""From nothing to images in the cluster, with no more done than what has changed."""

from __future__ import annotations

from pathlib import Path

import click

from tests.cluster.images import applications, standins
from tests.cluster.images.engine import docker
from tests.cluster.images.place import folder, recent
from tests.cluster.kind.say import run, step
from tests.cluster.kind.versions import key

_LOADED = "/kind/devenv-images"  # a file of the node: what was loaded into it
_LOAD_S = 300


def ensure(cluster: str | None) -> None:
    """Have the images in the nodes of a kind cluster, None for the archive alone. Raises StepError."""
    made = archive()
    for node in [] if cluster is None else run("kind", "get", "nodes", "--name", str(cluster)).split():
        if _loaded(node) == made.stem:
            click.echo(f"-- {node} has the images already")
            continue
        with step(f"load {made.stat().st_size / 1e6:.0f} MB of images into {node}"):
            run("kind", "load", "image-archive", made, "--name", str(cluster), "--nodes", node, deadline_s=_LOAD_S)
        docker("exec", node, "sh", "-c", f"echo {made.stem} > {_LOADED}")


def archive() -> Path:
    """Return the file that holds every image of the environment, made where it is not there. Raises StepError."""
    whole = standins.made_of()
    made_of = key(whole, *(each.made_of(whole) for each in applications.APPLICATIONS))
    made = folder() / f"images-{made_of}.tar"
    if not made.exists():
        standins.ensure()
        applications.ensure(whole)
        with step("keep the images as one file"):
            names = [each.image for each in applications.APPLICATIONS]
            docker("save", "--output", f"{made}.part", *names, *standins.SERVERS)
            Path(f"{made}.part").rename(made)
    return recent(made)


def _loaded(node: str) -> str:
    return docker("exec", node, "sh", "-c", f"cat {_LOADED} 2>/dev/null || true").strip()
