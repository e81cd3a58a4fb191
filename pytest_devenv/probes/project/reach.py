"""What of the surroundings can be reached right now: the kube context, its cluster, and a container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.settings import ClusterSource, TargetName
from pytest_devenv.targets.choose import choose
from pytest_devenv.verdict import Verdict, failed, off, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

ENGINES = ("docker", "podman", "nerdctl")
_ENGINE_S = 10.0


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of the surroundings; those of an environment that never runs in a cluster are none."""
    if settings.target in {TargetName.EMBEDDED, TargetName.ADDRESSES}:
        return
    if settings.contexts or settings.target is TargetName.CLUSTER:
        allowed = probe_id("context.may_be_used", "context")
        yield Probe(name="context.may_be_used", subject="context", look=_may_be_used)
        yield Probe(
            name="cluster.can_be_reached", subject="cluster", look=_can_be_reached, requires=(allowed,), deadline_s=30.0
        )
    yield Probe(name="engine.answers", subject="engine", look=_engine_answers, deadline_s=3 * _ENGINE_S + 5)


def _may_be_used(environment: Environment) -> Verdict:
    settings = environment.settings
    try:
        choice = choose(settings)
    except TargetError as error:
        summary, _, expected = error.message.partition(": expected ")
        return failed(
            summary,
            expected=expected or "a kube context that the settings allow",
            found=summary,
            where=str(settings.file),
            remedy=error.remedy or "kubectl config get-contexts",
        )
    if choice.target is not TargetName.CLUSTER:
        return off(f"no cluster is chosen: {choice.why}")
    return passed(choice.why)


def _can_be_reached(environment: Environment) -> Verdict:
    from pytest_devenv.clients.kubernetes.api import connect

    settings = environment.settings
    choice = choose(settings)
    if choice.cluster in {ClusterSource.KIND, ClusterSource.CONTROLPLANE}:
        return off(f"the cluster is made by the run: {choice.why}")
    if choice.kubeconfig is None:
        return off(f"there is no kube context: {choice.why}")
    try:
        api = connect(choice.kubeconfig, deadline_s=settings.deadline_s)
        try:
            version = api.get("/version").get("gitVersion")
        finally:
            api.close()
    except TargetError as error:
        where = f"context {choice.kubeconfig.context}"
        remedy = error.remedy or f"{choice.kubeconfig.kubectl} cluster-info"
        return unknown(f"the cluster was not reached: {error.message.splitlines()[0]}", where=where, remedy=remedy)
    return passed(f"Kubernetes {version} answers, context {choice.kubeconfig.context}", version=version)


def _engine_answers(_: Environment) -> Verdict:
    """Ask the first engine that is here for its version, which only its server knows."""
    there = [each for each in ENGINES if shutil.which(each) is not None]
    if not there:
        return unknown(
            "no container engine is here to build images with",
            where=f"PATH: {', '.join(ENGINES)}",
            remedy="install Docker: https://docs.docker.com/get-started/get-docker/",
        )
    said: list[str] = []
    for name in there:
        command = [name, "version", "--format", "{{.Server.Version}}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_ENGINE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            said.append(f"{name}: {error}")
            continue
        if done.returncode == 0 and done.stdout.strip():
            return passed(f"{name} {done.stdout.strip()} answers", version=done.stdout.strip())
        said.append(f"{name}: {' '.join(done.stderr.split())[:200]}")
    host = os.environ.get("DOCKER_HOST")
    return unknown(
        f"the container engine does not answer: {'; '.join(said)}",
        where="its default socket" if host is None else f"DOCKER_HOST={host}",
        remedy=f"start it; this shows whether it answers: {there[0]} info",
    )
