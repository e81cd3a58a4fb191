"""How the workloads of a namespace are: ready or not, restarted how often, and what they use just now."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_devenv.clients.kubernetes.errors import ApiError
from pytest_devenv.clients.kubernetes.pods import path_of, selector_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.clients.kubernetes.api import Api

    Object = Mapping[str, Any]

KINDS = ("deployment", "statefulset", "daemonset", "job")
_NANOCORES = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload, named as kubectl does: `deployment/backend`.

    `state` says in words how it is, `well` whether that is as it should be. CPU is in cores, as an average of some
    seconds; disk is what its pods have written on the node and in their volumes. All three are None where no kubelet
    has measured it, or none may be asked; `unmeasured` tells that one knows its pods and has yet to measure them.
    """

    name: str
    state: str
    well: bool
    restarts: int = 0
    pods: tuple[str, ...] = ()
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    unmeasured: bool = False


def workloads(api: Api, namespace: str) -> tuple[Workload, ...]:
    """Return every workload of a namespace, in the order of its kinds and names. Raises what the API raises."""
    pods = api.list(path_of("pod", namespace))
    measured = dict(_measured(api, namespace, pods))
    return tuple(
        _workload(kind, owner, [pod for pod in pods if _belongs(pod, owner)], measured)
        for kind in KINDS
        for owner in sorted(api.list(path_of(kind, namespace)), key=lambda each: str(each["metadata"]["name"]))
    )


def _workload(kind: str, owner: Object, pods: list[dict[str, Any]], measured: Mapping[str, Object]) -> Workload:
    name = f"{kind}/{owner['metadata']['name']}"
    state, well = _job(owner) if kind == "job" else _replicas(kind, owner)
    names = tuple(pod["metadata"]["name"] for pod in pods)
    known = [measured[each] for each in names if each in measured]
    found = [each for each in known if _memory_bytes(each) > 0]
    containers = [each for pod in pods for each in pod.get("status", {}).get("containerStatuses") or ()]
    return Workload(
        name=name,
        state=state,
        well=well,
        restarts=sum(each.get("restartCount", 0) for each in containers),
        pods=names,
        cpu_cores=sum(each.get("cpu", {}).get("usageNanoCores", 0) for each in found) / _NANOCORES if found else None,
        memory_bytes=sum(map(_memory_bytes, found)) if found else None,
        disk_bytes=sum(map(_disk_bytes, found)) if found else None,
        unmeasured=bool(known) and not found,
    )


def _replicas(kind: str, owner: Object) -> tuple[str, bool]:
    status = owner.get("status", {})
    if kind == "daemonset":
        ready, wanted = status.get("numberReady", 0), status.get("desiredNumberScheduled", 0)
    else:
        ready, wanted = status.get("readyReplicas", 0), owner["spec"].get("replicas", 1)
    return f"{ready} of {wanted} ready", ready >= wanted


def _job(owner: Object) -> tuple[str, bool]:
    for condition in owner.get("status", {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] in {"Complete", "Failed"}:
            reason = condition.get("reason", "")
            return ("complete", True) if condition["type"] == "Complete" else (f"failed: {reason}", False)
    return ("suspended", True) if owner["spec"].get("suspend") else ("running", True)


def _belongs(pod: Object, owner: Object) -> bool:
    """Tell whether a workload made a pod: by its selector, which is how the workload itself knows its pods."""
    labels = pod["metadata"].get("labels") or {}
    wanted = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    return bool(selector_of(owner)) and all(labels.get(key) == value for key, value in wanted.items())


def _measured(api: Api, namespace: str, pods: list[dict[str, Any]]) -> Iterator[tuple[str, Object]]:
    """Yield what the kubelets say of each pod, by its name; a kubelet that may not be asked says nothing."""
    for node in sorted({pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")}):
        with contextlib.suppress(ApiError):
            summary = api.get(f"/api/v1/nodes/{quote(node, safe='')}/proxy/stats/summary")
            for each in summary.get("pods") or ():
                if each["podRef"]["namespace"] == namespace:
                    yield each["podRef"]["name"], each


def _memory_bytes(pod: Object) -> int:
    """Return what a pod holds in memory: 0, which no process does with, is one that was not measured yet."""
    return int(pod.get("memory", {}).get("workingSetBytes", 0))


def _disk_bytes(pod: Object) -> int:
    claims = [each for each in pod.get("volume") or () if "pvcRef" in each]
    return int(sum(each.get("usedBytes", 0) for each in (pod.get("ephemeral-storage", {}), *claims)))
