"""Whether a workload's own numbers say that it is rolled out, as `kubectl rollout status` judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.objects import condition, owned, spec_of, status_of

if TYPE_CHECKING:
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot

_REVISION = "deployment.kubernetes.io/revision"
RESOURCES = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets", "pod": "pods"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far a workload is: `wanted` pods, of which so many are `ready`.

    `missing` says what keeps it from being rolled out, None where it is. `pods` are its own, those of its current
    revision first, the newest of each first; `owners` what events about it are about too. `serves_before` tells that
    pods of an earlier revision are still ready.
    """

    wanted: int
    ready: int
    missing: str | None
    pods: tuple[Object, ...]
    owners: tuple[Object, ...]
    serves_before: bool = False


def rollout_of(kind: str, workload: Object, snapshot: Snapshot) -> Rollout:
    """Return how far a workload of this kind is."""
    match kind:
        case "deployment":
            return _deployment(workload, snapshot)
        case "statefulset":
            return _statefulset(workload, snapshot)
        case "daemonset":
            return _daemonset(workload, snapshot)
        case _:
            ready = condition(workload, "Ready")
            well = ready is not None and ready.get("status") == "True"
            missing = None if well else f"phase {status_of(workload).get('phase', 'unknown')}"
            return Rollout(wanted=1, ready=int(well), missing=missing, pods=(workload,), owners=(workload,))


def _deployment(workload: Object, snapshot: Snapshot) -> Rollout:
    status = status_of(workload)
    wanted, updated = _replicas(workload), _number(status, "updatedReplicas")
    available, every = _number(status, "availableReplicas"), _number(status, "replicas")
    sets = sorted(owned(snapshot.all("replicasets"), workload), key=_revision, reverse=True)
    current, before = sets[:1], sets[1:]
    if spec_of(workload).get("paused") and updated < wanted:
        missing: str | None = "its rollout is paused"
    elif (unseen := _unseen(workload)) is not None:
        missing = unseen
    elif (refusal := condition(workload, "ReplicaFailure")) is not None and refusal.get("status") == "True":
        missing = f"{refusal.get('reason')}: {refusal.get('message')}"
    elif updated < wanted:
        missing = f"{updated} of {wanted} updated"
    elif every > updated:
        missing = f"{every - updated} of an earlier revision not yet ended"
    else:
        missing = None if available >= wanted else f"{available} of {wanted} available"
    return Rollout(
        wanted=wanted,
        ready=available,
        missing=missing,
        pods=tuple(pod for each in (*current, *before) for pod in reversed(owned(snapshot.all("pods"), each))),
        owners=(workload, *current),
        serves_before=any(_number(status_of(each), "readyReplicas") for each in before),
    )


def _statefulset(workload: Object, snapshot: Snapshot) -> Rollout:
    status, wanted = status_of(workload), _replicas(workload)
    ready, updated = _number(status, "readyReplicas"), _number(status, "updatedReplicas")
    rolls = (spec_of(workload).get("updateStrategy") or {}).get("type") != "OnDelete"
    missing = _unseen(workload)
    if missing is None and ready < wanted:
        missing = f"{ready} of {wanted} ready"
    elif missing is None and rolls and status.get("updateRevision") != status.get("currentRevision"):
        missing = f"{updated} of {wanted} updated"
    pods = tuple(reversed(owned(snapshot.all("pods"), workload)))
    return Rollout(wanted=wanted, ready=ready, missing=missing, pods=pods, owners=(workload,))


def _daemonset(workload: Object, snapshot: Snapshot) -> Rollout:
    status = status_of(workload)
    wanted, available = _number(status, "desiredNumberScheduled"), _number(status, "numberAvailable")
    updated = _number(status, "updatedNumberScheduled")
    missing = _unseen(workload)
    if missing is None and updated < wanted:
        missing = f"{updated} of {wanted} updated"
    elif missing is None and available < wanted:
        missing = f"{available} of {wanted} available"
    pods = tuple(reversed(owned(snapshot.all("pods"), workload)))
    return Rollout(wanted=wanted, ready=available, missing=missing, pods=pods, owners=(workload,))


def _unseen(workload: Object) -> str | None:
    """Return that the controller has not come to the current generation, where that is so."""
    generation = workload["metadata"].get("generation", 0)
    observed = _number(status_of(workload), "observedGeneration")
    return None if observed >= generation else f"generation {generation} not seen yet, the last one was {observed}"


def _replicas(workload: Object) -> int:
    wanted = spec_of(workload).get("replicas")
    return 1 if wanted is None else int(wanted)


def _number(status: Object, key: str) -> int:
    return int(status.get(key) or 0)


def _revision(replicaset: Object) -> int:
    return int((replicaset["metadata"].get("annotations") or {}).get(_REVISION, 0))
