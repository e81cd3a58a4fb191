"""Where somebody stands: the first thing that is not well, from the tools over the cluster to the last service."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import DevenvError, TargetError
from pytest_devenv.settings import TargetName
from pytest_devenv.verdict import State, Verdict, failed

if TYPE_CHECKING:
    from pytest_devenv.report.causes import Root
    from pytest_devenv.report.model import Run
    from pytest_devenv.settings import Settings

_ON_PAPER = ("tools.", "packages.", "context.", "cluster.")
_TILT_READY = "tilt.resources_are_ready["
UP = "pytest-devenv env up"
TILT_UP = "tilt up"


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found: the root of what is not well, by its probe, and how many checks pass. No root: all is well."""

    probe: str | None
    verdict: Verdict | None
    passed: int
    target: TargetName


def look(settings: Settings, *, declined: frozenset[str] = frozenset()) -> Standing:
    """Look from the ground up, and no further than to the first that is not well.

    `declined` are remedies that the person does not want, and that are not asked for again.
    """
    from pytest_devenv.probes.project.paper import target_of

    target = target_of(settings)
    early = _on_paper(settings) or _not_up(settings, target, declined)
    if early is not None:
        return Standing(*early, 0, target)
    try:
        run = _looked(settings)
    except DevenvError as error:
        return Standing("environment", _not_opened(settings, error), 0, target)
    root = _first(run)
    if root is None:
        return Standing(None, None, run.counts[State.PASS], target)
    return Standing(root.probe, root.verdict, run.counts[State.PASS], target)


def _looked(settings: Settings) -> Run:
    from pytest_devenv.cli.looking import health

    return health(settings, marks=("health", "ports"))


def _on_paper(settings: Settings) -> tuple[str, Verdict] | None:
    """Return what the tools, packages, the context and its cluster lack."""
    from pytest_devenv.cli.words import refused
    from pytest_devenv.probes.batch import Batch
    from pytest_devenv.probes.project.catalog import project_probes
    from pytest_devenv.probes.project.paper import on_paper

    probes = {key: probe for key, probe in project_probes(settings, refused).items() if key.startswith(_ON_PAPER)}
    with Batch(probes, on_paper(settings)) as batch:
        batch.start(probes)
        found = {key: batch.wait(key) for key in probes}
    for state in (State.FAIL, State.UNKNOWN):
        for key, verdict in found.items():
            if verdict.state is state:
                return key, verdict
    return None


def _not_up(settings: Settings, target: TargetName, declined: frozenset[str]) -> tuple[str, Verdict] | None:
    """Return that nothing has been brought up yet, where that can be told: it is nobody's failure."""
    if target is TargetName.EMBEDDED and UP not in declined:
        from pytest_devenv.targets.embedded.instance import kept

        if kept(settings) is None:
            return "environment", _down(settings, f"{settings.name} is not up on this machine", "an environment", UP)
    tilts = target is TargetName.CLUSTER and (settings.root / "Tiltfile").is_file() and shutil.which("tilt") is not None
    if tilts and not any(each.startswith(TILT_UP) for each in declined):
        from pytest_devenv.clients.tilt.client import running
        from pytest_devenv.clients.tilt.program import NoTiltError

        try:
            running(settings.root)
            return _under_way(settings)
        except NoTiltError as error:
            remedy = error.remedy or TILT_UP
            if settings.context is not None and TILT_UP in remedy:  # or Tilt would take the current one
                remedy += f" --context={shlex.quote(settings.context)}"
            return "tilt", _down(settings, error.message, "a Tilt that runs this project", remedy)
    return None


def _under_way(settings: Settings) -> tuple[str, Verdict] | None:
    """Return that Tilt is still bringing up what is missing, so that nobody else does; not where it has failed."""
    from pytest_devenv.probes.project.paper import on_paper
    from pytest_devenv.probes.tilt import probes

    (ready,) = (each for each in probes(settings) if each.id.startswith(_TILT_READY))
    verdict = ready.look(on_paper(settings))
    return (ready.id, verdict) if verdict.state is State.UNKNOWN else None


def _down(settings: Settings, summary: str, expected: str, remedy: str) -> Verdict:
    return failed(summary, expected=expected, found="none", where=str(settings.root), remedy=remedy)


def _not_opened(settings: Settings, error: DevenvError) -> Verdict:
    return _down(settings, error.message.splitlines()[0], "an environment", error.remedy or "pytest-devenv config")


def _first(run: Run) -> Root | None:
    """Return the root to begin with."""
    from pytest_devenv.report.causes import roots

    return next(iter(roots(run)), None)


def clusters(settings: Settings) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the ways to a cluster that the settings allow, each by its name and the commands, if it takes any.

    One that is there is adopted without any: this run is pinned to its context, and the current one stays as it is.
    """
    from pytest_devenv.clients.kubernetes.kubeconfig import contexts, kubeconfig_files
    from pytest_devenv.guard import allows_context

    try:
        there = contexts(kubeconfig_files(os.environ))
    except TargetError:
        there = ()
    ways: dict[str, tuple[tuple[str, ...], ...]] = {
        each: () for each in there if allows_context(settings.contexts, each)
    }
    name = "".join(char if char.isalnum() else "-" for char in settings.name.lower()).strip("-")
    for program, context, commands in (
        ("minikube", "minikube", (("minikube", "start"),)),
        ("kind", f"kind-{name}", _made_by_kind(settings, name)),
    ):
        if context not in ways and shutil.which(program) is not None and allows_context(settings.contexts, context):
            ways[context] = commands
    return ways


def _made_by_kind(settings: Settings, name: str) -> tuple[tuple[str, ...], ...]:
    """Return what makes a kind cluster whose nodes, and the images in them, are those of the settings."""
    from pytest_devenv.targets.kind.provider import node_options

    create = ("kind", "create", "cluster", "--name", name, "--wait", "3m", *node_options(settings))
    load = settings.kind.load if settings.kind is not None else ()
    return (create, ("kind", "load", "docker-image", "--name", name, *load)) if load else (create,)
