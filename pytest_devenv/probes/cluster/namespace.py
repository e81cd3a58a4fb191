"""Whether the namespace is there, and whether what is in it may be looked at."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.answers import ANSWERS_ID
from pytest_devenv.probes.cluster.kubectl import Kubectl, kubectl_of
from pytest_devenv.probes.cluster.objects import name_of, status_of
from pytest_devenv.probes.cluster.refusals import forbidden, refused, said
from pytest_devenv.probes.cluster.snapshot import cluster_of, resources_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield what has to hold before anything in the namespace can be judged."""
    subject = _subject(settings)
    yield Probe(name="namespace.exists", subject=subject, look=partial(_exists, shared), requires=(ANSWERS_ID,))
    yield Probe(
        name="namespace.may_be_read",
        subject=subject,
        look=partial(_may_be_read, shared),
        requires=(probe_id("namespace.exists", subject),),
    )


def exists_id(settings: Settings) -> str:
    """Return the id of the probe that says whether the namespace is there."""
    return probe_id("namespace.exists", _subject(settings))


def readable_id(settings: Settings) -> str:
    """Return the id of the probe that says whether the namespace may be looked at."""
    return probe_id("namespace.may_be_read", _subject(settings))


def _subject(settings: Settings) -> str:
    return settings.namespace or settings.name


def _exists(shared: Shared[Snapshot], environment: Environment) -> Verdict:
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

    kubectl = kubectl_of(environment.settings, cluster_of(environment))
    try:
        snapshot = shared.get("namespace.exists", environment)
    except ApiError as error:
        return refused(error, kubectl)
    except UnreachableError as error:
        return said(error)
    return judge_namespace(snapshot, kubectl)


def judge_namespace(snapshot: Snapshot, kubectl: Kubectl) -> Verdict:
    """Return whether the namespace is there and to stay.

    Who may not see it sees that it is there by what is in it.
    """
    from pytest_devenv.clients.kubernetes import ApiError

    name, namespace = kubectl.namespace, snapshot.namespace
    held = sum(len(objects) for resource, objects in snapshot.found.items() if resource != "nodes")
    if isinstance(namespace, ApiError):
        if held or namespace.status != HTTPStatus.FORBIDDEN:
            return passed(f"{name} is there", objects=held) if held else refused(namespace, kubectl)
        return forbidden((namespace, *snapshot.refused.values()), kubectl)
    if namespace is None:
        return failed(
            f"the namespace {name} is not there",
            expected=f"a namespace {name}",
            found="none of this name",
            where=_where(kubectl),
            remedy=kubectl.deploy(kubectl.anywhere("create", "namespace", name)),
        )
    if status_of(namespace).get("phase") == "Terminating":
        return failed(
            f"the namespace {name} is being deleted",
            expected=f"a namespace {name} that stays",
            found=f"Terminating: {_remaining(namespace)}",
            where=_where(kubectl),
            remedy=f"{kubectl.anywhere('wait', '--for=delete', f'namespace/{name}', '--timeout=120s')}, then: "
            + kubectl.deploy(kubectl.anywhere("create", "namespace", name)),
        )
    return passed(f"{name} is there", objects=held)


def _remaining(namespace: Object) -> str:
    """Return what keeps a namespace from being gone."""
    conditions = status_of(namespace).get("conditions") or ()
    left = [str(each.get("message")) for each in conditions if each.get("status") == "True" and each.get("message")]
    return "; ".join(left) or f"{name_of(namespace)} is not empty yet"


def _where(kubectl: Kubectl) -> str:
    return "this cluster" if kubectl.context is None else f"context {kubectl.context}"


def _may_be_read(shared: Shared[Snapshot], environment: Environment) -> Verdict:
    snapshot = shared.get("namespace.may_be_read", environment)
    needed = resources_of(environment.settings)
    refusals = snapshot.may_not(*needed)
    if refusals:
        return forbidden(refusals, kubectl_of(environment.settings, cluster_of(environment)))
    return passed("pods, workloads and services may be looked at", resources=len(needed))
