"""Whether the nodes are ready, take pods, and have memory, disk and process numbers left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devenv.probes.cluster.answers import ANSWERS_ID, SUBJECT
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import exists_id
from pytest_devenv.probes.cluster.objects import condition, name_of, spec_of
from pytest_devenv.probes.cluster.refusals import forbidden
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

NAME = "nodes.have_room"
LEAST_FREE_SHARE = 0.05
LEAST_FREE_BYTES = 1 << 30
_MOST_ASKED = 5
_PRESSURES = {
    "MemoryPressure": ("is short of memory", "stop what uses the most: "),
    "DiskPressure": ("is short of disk", "make room, such as with docker system prune, and see: "),
    "PIDPressure": ("is short of process numbers", "stop what forks the most: "),
    "NetworkUnavailable": ("has no network", "see why: "),
}


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield the probe of all nodes."""
    yield Probe(
        name=NAME,
        subject=SUBJECT,
        look=partial(_have_room, shared),
        requires=(ANSWERS_ID, exists_id(settings)),
    )


def cause_of(snapshot: Snapshot, kubectl: Kubectl) -> str | None:
    """Return the id of the probe that tells of the nodes, where none of them can run a pod."""
    nodes = snapshot.all("nodes")
    useless = (spec_of(node).get("unschedulable") or _judge_conditions(node, kubectl) for node in nodes)
    return probe_id(NAME, SUBJECT) if "nodes" in snapshot.found and all(useless) else None


def _have_room(shared: Shared[Snapshot], environment: Environment) -> Verdict:
    cluster = cluster_of(environment)
    kubectl = kubectl_of(environment.settings, cluster)
    snapshot = shared.get("nodes.have_room", environment)
    refusals = snapshot.may_not("nodes")
    if refusals:
        return forbidden(refusals, kubectl)
    nodes = snapshot.all("nodes")
    return judge_nodes(nodes, _disks(cluster, [name_of(each) for each in nodes][:_MOST_ASKED]), kubectl)


def judge_nodes(nodes: Sequence[Object], disks: Mapping[str, Any], kubectl: Kubectl) -> Verdict:
    """Return whether each node is well. `disks` are the kubelets' own figures by node, of those that may be read."""
    if not nodes:
        return failed(
            "the cluster has no node",
            expected="a node that is Ready",
            found="none",
            where=_where(kubectl),
            remedy=f"start the cluster's nodes, then see: {kubectl.anywhere('get', 'nodes')}",
        )
    for node in nodes:
        verdict = _judge_conditions(node, kubectl)
        if verdict is not None:
            return verdict
    freest: float | None = None
    for name, summary in disks.items():
        for what, place in (("disk", ("node", "fs")), ("images' disk", ("node", "runtime", "imageFs"))):
            figures: Any = summary
            for step in place:
                figures = (figures or {}).get(step)
            capacity, free = (figures or {}).get("capacityBytes"), (figures or {}).get("availableBytes")
            if not capacity or free is None:
                continue
            freest = free / capacity if freest is None else min(freest, free / capacity)
            if free / capacity < LEAST_FREE_SHARE and free < LEAST_FREE_BYTES:
                return _full(name, what, free, capacity, kubectl)
    if nodes and all(spec_of(node).get("unschedulable") for node in nodes):
        return failed(
            "no node takes new pods",
            expected="a node that is not cordoned",
            found=f"cordoned: {', '.join(name_of(node) for node in nodes)}",
            where=_where(kubectl),
            remedy=kubectl.anywhere("uncordon", name_of(nodes[0])),
        )
    disk = "disk by its conditions alone" if freest is None else f"{freest:.0%} of the fullest disk free"
    many = "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    return passed(f"{many} ready, {disk}", nodes=len(nodes), free_share=None if freest is None else round(freest, 3))


def _judge_conditions(node: Object, kubectl: Kubectl) -> Verdict | None:
    name = name_of(node)
    ready = condition(node, "Ready")
    describe = kubectl.anywhere("describe", "node", name)
    if ready is None or ready.get("status") != "True":
        said = "" if ready is None else f"{ready.get('reason')}: {' '.join(str(ready.get('message')).split())}"
        return failed(
            f"the node {name} is not ready",
            expected="a node that is Ready",
            found=said or "no Ready condition",
            where=_where(kubectl),
            remedy=f"start it, or see why: {describe}",
        )
    for kind, (short, mend) in _PRESSURES.items():
        pressure = condition(node, kind)
        if pressure is not None and pressure.get("status") == "True":
            return failed(
                f"the node {name} {short}",
                expected=f"{kind} False",
                found=f"{pressure.get('reason')}: {' '.join(str(pressure.get('message')).split())}",
                where=_where(kubectl),
                remedy=mend + describe,
            )
    return None


def _full(name: str, what: str, free: float, capacity: float, kubectl: Kubectl) -> Verdict:
    return failed(
        f"the {what} of the node {name} is nearly full",
        expected=f"at least {LEAST_FREE_SHARE:.0%} or {LEAST_FREE_BYTES >> 30} GiB free",
        found=f"{free / 2**30:.1f} of {capacity / 2**30:.1f} GiB free",
        where=_where(kubectl),
        remedy="make room on it, such as with docker system prune, and see: "
        + kubectl.anywhere("describe", "node", name),
    )


def _disks(cluster: Cluster, names: Sequence[str]) -> dict[str, Any]:
    """Read the kubelets' figures at once; of those that may not be read, or do not answer, there are none."""
    with ThreadPoolExecutor(max(1, len(names)), thread_name_prefix="nodes") as threads:
        found = dict(zip(names, threads.map(partial(_disk, cluster), names), strict=True))
    return {name: summary for name, summary in found.items() if summary is not None}


def _disk(cluster: Cluster, name: str) -> Any:  # noqa: ANN401  # kubelet's, which has no types
    """Return a kubelet's summary: https://kubernetes.io/docs/reference/instrumentation/node-metrics/."""
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

    try:
        return cluster.api.get(f"/api/v1/nodes/{name}/proxy/stats/summary")
    except (ApiError, UnreachableError):
        return None


def _where(kubectl: Kubectl) -> str:
    return "this cluster" if kubectl.context is None else f"context {kubectl.context}"
