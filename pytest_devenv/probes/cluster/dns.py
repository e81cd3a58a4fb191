"""Whether the Services are found by their names where they are used: inside the cluster."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.probes.cluster.answers import SUBJECT
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import readable_id
from pytest_devenv.probes.cluster.objects import containers, holds, name_of
from pytest_devenv.probes.cluster.refusals import forbidden, said
from pytest_devenv.probes.cluster.services import service_of
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.probe import Probe
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, off, passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_PROGRAM = "getent"
_LOOKED_UP_BY = f"{_PROGRAM} ahosts"  # and not hosts, which asks for IPv6 alone first, along the whole search list
_NOT_THERE = frozenset({126, 127})
_MOST_ASKED = 4
_DNS = "kube-system"


@dataclass(frozen=True, slots=True)
class Place:
    """A container to ask in."""

    pod: str
    container: str
    image: str


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield the probe of the names of all services, which one look asks for together."""
    if any(service.kind is not ServiceKind.JOB for service in settings.services.values()):
        yield Probe(
            name="dns.resolves",
            subject=SUBJECT,
            look=partial(_resolves, shared),
            requires=(readable_id(settings),),
            deadline_s=(_MOST_ASKED + 1) * settings.deadline_s,
        )


def _resolves(shared: Shared[Snapshot], environment: Environment) -> Verdict:
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

    cluster = cluster_of(environment)
    kubectl = kubectl_of(environment.settings, cluster)
    snapshot = shared.get("dns.resolves", environment)
    found = (service_of(each, snapshot) for each in environment.settings.services.values())
    names = tuple(dict.fromkeys(name_of(each) for each in found if each is not None))
    if not names:
        return off("there is no Service whose name could be looked up")
    if cluster.kubeconfig is None:
        return judge(names, _found_here(names, cluster.namespace), "this pod", kubectl)
    try:
        return _asked(names, places(snapshot), cluster, kubectl, deadline_s=environment.settings.deadline_s)
    except ApiError as error:
        return forbidden((error,), kubectl) if error.forbidden else said(error)
    except UnreachableError as error:
        return said(error)


def places(snapshot: Snapshot) -> tuple[Place, ...]:
    """Return a container of each image that runs and is ready."""
    found: dict[str, Place] = {}
    for pod in snapshot.all("pods"):
        if pod["metadata"].get("deletionTimestamp") or not holds(pod, "Ready"):
            continue
        for container, status, is_init in containers(pod):
            image = str(container.get("image"))
            if not is_init and "running" in (status.get("state") or {}) and image not in found:
                found[image] = Place(name_of(pod), container["name"], image)
    return tuple(found.values())[:_MOST_ASKED]


def _asked(
    names: Sequence[str], asked_in: Sequence[Place], cluster: Cluster, kubectl: Kubectl, *, deadline_s: float
) -> Verdict:
    """Look the names up in the first container that can, by one command for all of them."""
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError
    from pytest_devenv.clients.kubernetes.exec import run

    command = [*_LOOKED_UP_BY.split(), *names]
    for place in asked_in:
        where = f"{place.pod}, container {place.container}"
        try:
            ended = run(
                cluster.api,
                cluster.namespace,
                place.pod,
                command,
                container=place.container,
                deadline_s=deadline_s,
            )
        except WaitTimeoutError:
            return _silent(names, where, kubectl, deadline_s=deadline_s)
        except (ApiError, UnreachableError):
            raise
        except TargetError:
            continue  # its image has no such program
        if ended.code not in _NOT_THERE:
            return judge(names, found_in(ended.out.decode(errors="replace"), names), where, kubectl)
    if not asked_in:
        return off("no container is ready in which a name could be looked up")
    return off(f"no container has {_PROGRAM} to look names up with")


def found_in(output: str, names: Sequence[str]) -> frozenset[str]:
    """Return which of the names have a line in the output of `getent ahosts`."""
    words = {word for line in output.splitlines() for word in line.split()[1:]}
    return frozenset(name for name in names if any(word == name or word.startswith(f"{name}.") for word in words))


def _found_here(names: Sequence[str], namespace: str) -> frozenset[str]:
    """Look the names up in the pod that this process runs in."""
    found = set()
    for name in names:
        try:
            socket.getaddrinfo(f"{name}.{namespace}.svc", None)
        except OSError:
            continue
        found.add(name)
    return frozenset(found)


def judge(names: Sequence[str], found: frozenset[str], where: str, kubectl: Kubectl) -> Verdict:
    """Return whether every name was found."""
    missing = [name for name in names if name not in found]
    if not missing:
        return passed(f"{', '.join(names)} found in {where}", names=len(names))
    every = len(missing) == len(names)
    return failed(
        "the cluster's DNS finds no Service" if every else f"the cluster's DNS does not find {', '.join(missing)}",
        expected=f"an address for {', '.join(names)}",
        found=f"none for {', '.join(missing)}",
        where=f"{_LOOKED_UP_BY} in {where}, namespace {kubectl.namespace}",
        remedy=_dns(kubectl),
    )


def _silent(names: Sequence[str], where: str, kubectl: Kubectl, *, deadline_s: float) -> Verdict:
    return failed(
        "the cluster's DNS does not answer",
        expected=f"an address for {', '.join(names)} within {deadline_s:g} s",
        found="no answer in that time",
        where=f"{_LOOKED_UP_BY} in {where}, namespace {kubectl.namespace}",
        remedy=_dns(kubectl),
    )


def _dns(kubectl: Kubectl) -> str:
    see = kubectl.anywhere("--namespace", _DNS, "get", "pods", "--selector", "k8s-app=kube-dns")
    anew = kubectl.anywhere("--namespace", _DNS, "rollout", "restart", "deployment/coredns")
    return f"start it anew: {anew}; see: {see}"
