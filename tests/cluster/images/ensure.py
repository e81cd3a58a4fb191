"""From nothing to images in the cluster, with no more done than what has changed."""

from __future__ import annotations

from pathlib import Path

import click

from tests.cluster.images import applications, standins
from tests.cluster.images.engine import docker, is_bare
from tests.cluster.images.place import folder, recent
from tests.cluster.kind.say import run, step
from tests.cluster.kind.versions import key

_LOADED = "/kind/devenv-images"  # a file of the node: what was loaded into it
_LOAD_S = 300
_PUBLIC = "public"


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
    whole = standins.made_of() if is_bare() else _PUBLIC
    made_of = key(whole, *(each.made_of(whole) for each in applications.APPLICATIONS))
    made = folder() / f"images-{made_of}.tar"
    if not made.exists():
        if is_bare():
            standins.ensure()
        else:
            _pull()
        applications.ensure(whole)
        with step("keep the images as one file"):
            names = [each.image for each in applications.APPLICATIONS]
            docker("save", "--output", f"{made}.part", *names, *standins.SERVERS)
            Path(f"{made}.part").rename(made)
    return recent(made)


def _pull() -> None:
    """Take the servers from their registry; what the Dockerfiles build on comes from there by itself."""
    with step(f"pull {' and '.join(standins.SERVERS)}"):
        for image in standins.SERVERS:
            docker("pull", "--quiet", image)


def _loaded(node: str) -> str:
    return docker("exec", node, "sh", "-c", f"cat {_LOADED} 2>/dev/null || true").strip()
