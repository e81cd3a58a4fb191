"""Whether the programs are here that the environment is worked on with, in a version that will do."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.kustomize import kustomization_of
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.tilt import TILTFILE, constraint_of, keeps
from pytest_devenv.settings import ClusterSource, Requirement, TargetName
from pytest_devenv.verdict import failed, off, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_DEADLINE_S = 20.0
_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program: what says its version, which versions will do and why, how to get it, and what it is needed for."""

    name: str
    asks: tuple[str, ...]
    versions: str
    install: str
    purpose: str
    needed: bool


def probes(settings: Settings, target: TargetName) -> Iterator[Probe]:
    """Yield a probe for each program that this environment is, or could be, worked on with."""
    for tool in _tools(settings, in_cluster=target is TargetName.CLUSTER):
        look = partial(_is_new_enough, tool)
        yield Probe(name="tools.are_new_enough", subject=tool.name, look=look, deadline_s=_DEADLINE_S)


def _tools(settings: Settings, *, in_cluster: bool) -> Iterator[Tool]:
    tiltfile = settings.root / TILTFILE
    needs_tilt = settings.require is Requirement.TILT
    makes_kind = in_cluster and settings.cluster is ClusterSource.KIND
    if in_cluster or settings.contexts or settings.manifests is not None:
        builds = settings.manifests is not None and kustomization_of(settings.root / settings.manifests) is not None
        yield Tool(
            name="kubectl",
            asks=("version", "--client"),
            versions=">=1.27",  # the first whose kustomize is of the release 5
            install="install kubectl: https://kubernetes.io/docs/tasks/tools/",
            purpose="the manifests are built by it" if builds else "the cluster is looked at with it",
            needed=in_cluster,
        )
    if tiltfile.is_file() or needs_tilt:
        yield Tool(
            name="tilt",
            asks=("version",),
            versions=(constraint_of(tiltfile) if tiltfile.is_file() else None) or ">=0.33",
            install="install Tilt: https://docs.tilt.dev/install.html",
            purpose=f"it runs the {TILTFILE}",
            needed=needs_tilt,
        )
        yield Tool(
            name="docker",
            asks=("--version",),
            versions=">=23.0",  # the first that builds with BuildKit unasked
            install="install Docker: https://docs.docker.com/get-started/get-docker/",
            purpose="images are built with it",
            needed=needs_tilt,
        )
    if makes_kind or any(each.startswith("kind-") for each in settings.contexts):
        yield Tool(
            name="kind",
            asks=("version",),
            versions=">=0.20",
            install="install kind: https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
            purpose="it makes a cluster of containers",
            needed=makes_kind,
        )
    if "minikube" in settings.contexts:
        yield Tool(
            name="minikube",
            asks=("version", "--short"),
            versions=">=1.30",
            install="install minikube: https://minikube.sigs.k8s.io/docs/start/",
            purpose="it makes a cluster on this machine",
            needed=False,
        )


def _is_new_enough(tool: Tool, _: Environment) -> Verdict:
    program = shutil.which(tool.name)
    if program is None:
        if not tool.needed:
            return off(f"{tool.name} is not here: {tool.purpose}, where this environment runs in a cluster")
        return failed(
            f"{tool.name} is not here",
            expected=f"{tool.name} {tool.versions}, since {tool.purpose}",
            found="none on PATH",
            where="PATH",
            remedy=tool.install,
        )
    line = " ".join((tool.name, *tool.asks))
    try:
        done = subprocess.run(
            [program, *tool.asks],
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S / 2,
            check=False,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return unknown(f"{tool.name} does not tell its version: {error}", where=program, remedy=line)
    version = _VERSION.search(done.stdout)
    kept = None if version is None else keeps(version[1], tool.versions)
    if version is None or kept is None:
        said = " ".join((done.stdout or done.stderr).split())[:200]
        return unknown(f"whether {tool.name} is {tool.versions} cannot be told: {said!r}", where=program, remedy=line)
    if kept:
        return passed(f"{tool.name} {version[1]} is {tool.versions}", version=version[1])
    return failed(
        f"{tool.name} {version[1]} is not new enough",
        expected=f"a version {tool.versions}, since {tool.purpose}",
        found=version[1],
        where=program,
        remedy=tool.install,
    )
