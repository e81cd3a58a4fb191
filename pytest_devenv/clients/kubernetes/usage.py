"""What the pods of a workload use, as the kubelets of their nodes measure it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_devenv.clients.kubernetes.pods import path_of, selector_of
from pytest_devenv.clients.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes.api import Api

_MEASURED_ANEW_S = 30.0
_LOOKS_EVERY_S = 0.5
_NANOSECONDS = 1_000_000_000


def usage_of_workload(api: Api, namespace: str, workload: str) -> Usage | None:
    """Return what the pods of a workload, written as `deployment/backend`, use; None without any that was measured.

    A kubelet measures every ten seconds or so: this waits until it has done so once more, thirty seconds at most, so
    that what was done before the call is part of it. Raises what the API raises.
    """
    first = found = _measured(api, namespace, workload)
    gives_up_at = time.monotonic() + _MEASURED_ANEW_S
    while not found or any(_cpu(found, pod) == _cpu(first, pod) for pod in first):
        if time.monotonic() > gives_up_at:
            break
        time.sleep(_LOOKS_EVERY_S)
        found = _measured(api, namespace, workload)
    if not found:
        return None
    return Usage(
        cpu_s=sum(each.get("cpu", {}).get("usageCoreNanoSeconds", 0) for each in found.values()) / _NANOSECONDS,
        memory_bytes=sum(each.get("memory", {}).get("workingSetBytes", 0) for each in found.values()),
        disk_bytes=sum(map(_disk_bytes, found.values())),
    )


def _measured(api: Api, namespace: str, workload: str) -> dict[str, dict[str, Any]]:
    """Return what the kubelets say of each pod of a workload, by its name."""
    kind, _, name = workload.partition("/")
    selector = selector_of(api.get(path_of(kind, namespace, name)))
    pods = api.list(path_of("pod", namespace), labelSelector=selector) if selector else []
    names = {pod["metadata"]["name"] for pod in pods}
    nodes = {pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")}
    return {
        each["podRef"]["name"]: each
        for node in nodes
        for each in api.get(f"/api/v1/nodes/{quote(node, safe='')}/proxy/stats/summary").get("pods", ())
        if each["podRef"]["namespace"] == namespace and each["podRef"]["name"] in names
    }


def _cpu(measured: Mapping[str, Mapping[str, Any]], pod: str) -> object:
    """Return the measurement of a pod's CPU time, with the moment at which it was made."""
    return measured.get(pod, {}).get("cpu")


def _disk_bytes(pod: dict[str, Any]) -> int:
    """Return what a pod has written on its node, and in the volumes that outlive it."""
    claims = [each for each in pod.get("volume", ()) if "pvcRef" in each]
    return int(sum(each.get("usedBytes", 0) for each in (pod.get("ephemeral-storage", {}), *claims)))
