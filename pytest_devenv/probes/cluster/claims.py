"""Whether the volume claims are bound, and why one is not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devenv.probes.cluster.evidence import events_about, last_events
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import exists_id
from pytest_devenv.probes.cluster.objects import name_of, spec_of, status_of
from pytest_devenv.probes.cluster.pods import claims_of
from pytest_devenv.probes.cluster.refusals import forbidden
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.cluster.trouble import Trouble
from pytest_devenv.probes.probe import Probe
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_CLAIMS = "persistentvolumeclaims"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield the probe of all claims; one that a pod waits for is told of by the pod's workload."""
    yield Probe(
        name="claims.are_bound",
        subject=settings.namespace or settings.name,
        look=partial(_are_bound, shared),
        requires=(exists_id(settings),),
    )


def _are_bound(shared: Shared[Snapshot], environment: Environment) -> Verdict:
    cluster = cluster_of(environment)
    kubectl = kubectl_of(environment.settings, cluster)
    snapshot = shared.get("claims.are_bound", environment)
    refusals = snapshot.may_not(_CLAIMS)
    if refusals:
        return forbidden(refusals, kubectl)
    used = {claim for pod in (*snapshot.all("pods"), *_templates(snapshot)) for claim in claims_of(pod)}
    for claim in snapshot.all(_CLAIMS):
        if name_of(claim) in used and status_of(claim).get("phase") != "Lost":
            continue
        why = why_unbound(name_of(claim), snapshot, cluster, kubectl)
        if why is not None:
            return failed(
                f"{why.where} is not bound: {why.what}",
                expected=why.expected,
                found=why.found,
                where=f"{why.where}, namespace {cluster.namespace}, context {cluster.context}",
                remedy=why.remedy,
                evidence=last_events(events_about((claim,), snapshot), snapshot),
            )
    bound = [each for each in snapshot.all(_CLAIMS) if status_of(each).get("phase") == "Bound"]
    return passed(f"{len(bound)} of {len(snapshot.all(_CLAIMS))} bound, none forgotten", bound=len(bound))


def _templates(snapshot: Snapshot) -> Iterator[Object]:
    """Yield what the pods of each workload are made of."""
    for resource in ("deployments", "statefulsets", "daemonsets", "jobs"):
        for workload in snapshot.all(resource):
            yield spec_of(workload).get("template") or {}


def why_unbound(name: str, snapshot: Snapshot, cluster: Cluster, kubectl: Kubectl) -> Trouble | None:
    """Return why a claim is not bound, asking for the storage classes where that matters; None where it is."""
    claim = snapshot.named(_CLAIMS, name)
    if claim is None or status_of(claim).get("phase") == "Pending":
        return judge_claim(name, claim, snapshot, classes(cluster), kubectl)
    if status_of(claim).get("phase") == "Lost":
        return Trouble(
            what="its volume is gone",
            expected="a volume for the claim",
            found=f"Lost: the volume {spec_of(claim).get('volumeName')} is not there",
            where=f"pvc/{name}",
            remedy=_anew(name, kubectl),
        )
    return None


def classes(cluster: Cluster) -> tuple[dict[str, Any], ...] | None:
    """Return the storage classes, None where they may not be read."""
    from pytest_devenv.clients.kubernetes import ApiError

    try:
        return tuple(cluster.api.list(_CLASSES))
    except ApiError:
        return None


def judge_claim(
    name: str, claim: Object | None, snapshot: Snapshot, known: Sequence[Object] | None, kubectl: Kubectl
) -> Trouble | None:
    """Return why a claim is missing or pending; None where it waits for its first pod, as its class wants it to."""
    where = f"pvc/{name}"
    if claim is None:
        return Trouble(
            what=f"the volume claim {name} is not there",
            expected=f"a volume claim {name}",
            found="none of this name",
            where=where,
            remedy=kubectl.deploy(f"create the claim {name}, or correct its name in the workload"),
        )
    wanted = spec_of(claim).get("storageClassName")
    there = [name_of(each) for each in known or ()]
    default = [name_of(each) for each in known or () if _annotation(each, _DEFAULT) == "true"]
    if wanted and known is not None and wanted not in there:
        return Trouble(
            what=f"the volume claim {name} asks for the storage class {wanted}, which is not there",
            expected=f"one of the storage classes {', '.join(there)}" if there else "a storage class",
            found=f"storage class {wanted}",
            where=where,
            remedy=f"correct its storageClassName{_such_as(default or there)}, then: {_anew(name, kubectl)}",
        )
    if not wanted and known is not None and (wanted == "" or not default):
        what = f"the volume claim {name} names no storage class" + ("" if wanted == "" else ", and none is the default")
        return Trouble(
            what=what,
            expected="a storage class, or a volume that fits the claim",
            found='storageClassName ""' if wanted == "" else "no storageClassName",
            where=where,
            remedy=_make_default(there, name, kubectl, explicit=wanted == ""),
        )
    said = _said(claim, snapshot)
    mode = next((each.get("volumeBindingMode") for each in known or () if name_of(each) == wanted), None)
    if mode == "WaitForFirstConsumer" and "Failed" not in said:
        return None
    return Trouble(
        what=f"the volume claim {name} is not bound",
        expected="a claim that is Bound",
        found=said or "Pending",
        where=where,
        remedy=kubectl("describe", "pvc", name),
    )


def _said(claim: Object, snapshot: Snapshot) -> str:
    """Return what the last event about a claim says."""
    events = events_about((claim,), snapshot)
    return "" if not events else f"{events[-1].get('reason')}: {' '.join(str(events[-1].get('message')).split())}"


def _make_default(there: list[str], name: str, kubectl: Kubectl, *, explicit: bool) -> str:
    """Return what gives a claim without a class one: a default, or where it wants none, a class of its own."""
    if explicit:
        return f"take the empty storageClassName out, or name one{_such_as(there)}; then: {_anew(name, kubectl)}"
    if not there:
        return f"install a storage provisioner, then: {kubectl.anywhere('get', 'storageclass')}"
    patch = f'{{"metadata": {{"annotations": {{"{_DEFAULT}": "true"}}}}}}'
    return kubectl.anywhere("patch", "storageclass", there[0], "--patch", patch)


def _anew(name: str, kubectl: Kubectl) -> str:
    """Return what makes a claim anew, since its class and its volume cannot be changed."""
    return f"{kubectl('delete', 'pvc', name, '--wait=false')} && {kubectl.deploy(kubectl('apply', '-f', '…'))}"


def _such_as(names: list[str]) -> str:
    return f", such as {names[0]}" if names else ""


def _annotation(each: Object, key: str) -> str | None:
    value = (each["metadata"].get("annotations") or {}).get(key)
    return None if value is None else str(value)
