"""Objects as the API gives them, of a shop whose backend is one deployment."""

from __future__ import annotations

from typing import Any

from pytest_devenv.probes.cluster.kubectl import Kubectl
from pytest_devenv.probes.cluster.objects import epoch_s
from pytest_devenv.probes.cluster.snapshot import Snapshot
from pytest_devenv.probes.cluster.trouble import Scene

KUBECTL = Kubectl("kubectl --context kind-shop", "kind-shop", "shop-dev", "k8s")
K = "kubectl --context kind-shop --namespace shop-dev"
DEPLOY = f"{K} apply -k k8s"
NOW = "2026-11-29T12:01:00Z"
BEFORE = "2026-11-29T12:00:00Z"
IMAGE = "shop/backend:2"

Object = dict[str, Any]


def pod(*statuses: Object, name: str = "backend-6c-x1", spec: Object | None = None, **status: object) -> Object:
    """Return a pod that runs on a node, of one container for each status, and of whatever else its spec has."""
    containers = [{"name": each["name"], "image": IMAGE} for each in statuses]
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": {"app": "backend", "pod-template-hash": "6c"},
            "ownerReferences": [{"uid": "uid-backend-6c"}],
            "creationTimestamp": BEFORE,
        },
        "spec": {"nodeName": "shop-control-plane", "containers": containers, **(spec or {})},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": "10.244.0.7"}],
            "containerStatuses": [each for each in statuses if "state" in each],
            **status,
        },
    }


def container(state: Object | None = None, *, name: str = "backend", **more: object) -> Object:
    """Return the status of a container; without a state it runs since a minute, and is ready."""
    if state is None:
        return {"name": name, "state": {"running": {"startedAt": BEFORE}}, "ready": True, "restartCount": 0, **more}
    return {"name": name, "state": state, "ready": False, "restartCount": 0, **more}


def waiting(reason: str, message: str = "") -> Object:
    """Return the state of a container that waits."""
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, reason: str = "Error", **more: object) -> Object:
    """Return the state of a container that has ended."""
    return {"terminated": {"exitCode": code, "reason": reason, "finishedAt": NOW, **more}}


def event(reason: str, message: str, *, about: str = "backend-6c-x1", kind: str = "Warning") -> Object:
    """Return an event about an object."""
    return {
        "metadata": {"name": f"{about}.{reason}", "creationTimestamp": BEFORE},
        "involvedObject": {"uid": f"uid-{about}"},
        "type": kind,
        "reason": reason,
        "message": message,
        "lastTimestamp": BEFORE,
        "count": 3,
    }


def scene(*events: Object, workload: str = "deployment/backend", undo: bool = False, ends: bool = False) -> Scene:
    """Return what a pod is judged with."""
    return Scene(
        workload=workload,
        kubectl=KUBECTL,
        now_s=epoch_s(NOW) or 0,
        stable_s=10,
        events=events,
        undo=undo,
        ends=ends,
        load="kind load docker-image IMAGE --name shop",
    )


def deployment(*, wanted: int = 1, generation: int = 2, observed: int = 2, **status: object) -> Object:
    """Return the deployment of the backend."""
    return {
        "metadata": {"name": "backend", "uid": "uid-backend", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": observed, **status},
    }


def replicaset(number: int, *, suffix: str = "6c", **status: object) -> Object:
    """Return the replica set of one revision of the backend."""
    return {
        "metadata": {
            "name": f"backend-{suffix}",
            "uid": f"uid-backend-{suffix}",
            "ownerReferences": [{"uid": "uid-backend"}],
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
        },
        "status": status,
    }


def snapshot(**found: tuple[Object, ...]) -> Snapshot:
    """Return a reading of a namespace that holds these."""
    return Snapshot(namespace={"metadata": {"name": "shop-dev"}}, found=found, now_s=epoch_s(NOW) or 0)
