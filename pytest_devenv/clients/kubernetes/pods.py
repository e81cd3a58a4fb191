"""The pods behind a workload or a Service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_devenv.clients.kubernetes.errors import said
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes.api import Api

_COLLECTIONS: Mapping[str, str] = {
    "deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "statefulset": "/apis/apps/v1/namespaces/{namespace}/statefulsets",
    "daemonset": "/apis/apps/v1/namespaces/{namespace}/daemonsets",
    "job": "/apis/batch/v1/namespaces/{namespace}/jobs",
    "cronjob": "/apis/batch/v1/namespaces/{namespace}/cronjobs",
    "pod": "/api/v1/namespaces/{namespace}/pods",
    "service": "/api/v1/namespaces/{namespace}/services",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A port of a pod."""

    pod: str
    port: int


class NoPodError(TargetError):
    """There is no pod that could take a connection now."""


def path_of(kind: str, namespace: str, name: str | None = None) -> str:
    """Return the path of the objects of a kind as kubectl writes it, or of the one by this name."""
    path = _COLLECTIONS[kind].format(namespace=quote(namespace, safe=""))
    return path if name is None else f"{path}/{quote(name, safe='')}"


def place_of(api: Api, namespace: str, subject: str, port: int) -> Place:
    """Return the pod to connect to, and its port: of a workload or a Service, written as `deployment/backend`.

    Of several ready pods it is the newest. A Service's port is that of its target. Raises NoPodError where none is
    ready, and what the API raises.
    """
    kind, _, name = subject.partition("/")
    if kind == "pod":
        pods = [api.get(path_of("pod", namespace, name))]
        target: object = port
    else:
        owner = api.get(path_of(kind, namespace, name))
        target = port if kind != "service" else _target_of(owner, port)
        selector = selector_of(owner)
        if not selector:
            raise _no_pod(api, namespace, subject, f"no selector in {subject}", [])
        pods = api.list(path_of("pod", namespace), labelSelector=selector)
    ready = [pod for pod in pods if is_ready(pod)]
    if not ready:
        raise _no_pod(api, namespace, subject, "", pods)
    pod = max(ready, key=lambda each: str(each["metadata"].get("creationTimestamp", "")))
    return Place(pod["metadata"]["name"], target if isinstance(target, int) else _named_port(pod, str(target), port))


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod takes connections: ready, and not about to end."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def selector_of(owner: Mapping[str, Any]) -> str:
    """Return the label selector of a workload or a Service, as a query holds it; empty where it has none."""
    given = owner.get("spec", {}).get("selector") or {}
    labels = given.get("matchLabels") or {} if owner.get("kind") != "Service" else given
    words = [f"{key}={value}" for key, value in labels.items()]
    for each in (given.get("matchExpressions") or ()) if owner.get("kind") != "Service" else ():
        key, values = each["key"], ",".join(each.get("values") or ())
        form = {"In": "{} in ({})", "NotIn": "{} notin ({})", "Exists": "{}", "DoesNotExist": "!{}"}[each["operator"]]
        words.append(form.format(key, values))
    return ",".join(words)


def _target_of(service: Mapping[str, Any], port: int) -> object:
    """Return the port of the pods that a port of a Service leads to: a number, or the name of one."""
    for each in service.get("spec", {}).get("ports") or ():
        if each.get("port") == port:
            return each.get("targetPort") or port
    return port


def _named_port(pod: Mapping[str, Any], name: str, otherwise: int) -> int:
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            if each.get("name") == name:
                return int(each["containerPort"])
    return otherwise


def _no_pod(api: Api, namespace: str, subject: str, reason: str, pods: list[dict[str, Any]]) -> NoPodError:
    states = [f"{pod['metadata']['name']} ({_state(pod)})" for pod in pods]
    found = reason or ", ".join(states) or "no pod at all"
    msg = (
        f"no pod of {subject} takes connections\n  expected: a ready pod of {subject}\n  found: {found}\n"
        f"  where: namespace {namespace}, {said(api.access.context)}"
    )
    return NoPodError(msg, remedy=f"{api.access.kubectl} --namespace {namespace} describe {subject}")


def _state(pod: Mapping[str, Any]) -> str:
    """Return what a pod is doing, in kubectl's words."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status", {})
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        for phase in ("waiting", "terminated"):
            reason = each.get("state", {}).get(phase, {}).get("reason")
            if reason and reason != "Completed":
                return str(reason)
    return "not ready" if status.get("phase") == "Running" else str(status.get("phase", "unknown"))
