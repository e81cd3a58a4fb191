"""Whether each service's workload is rolled out at its current generation and stays so, and if not, why."""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster import nodes, secrets
from pytest_devenv.probes.cluster.claims import why_unbound
from pytest_devenv.probes.cluster.evidence import events_about, last_events, last_lines
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import readable_id
from pytest_devenv.probes.cluster.objects import age, condition, containers, epoch_s, name_of, status_of
from pytest_devenv.probes.cluster.pods import trouble_of
from pytest_devenv.probes.cluster.rollout import RESOURCES, Rollout, rollout_of
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.cluster.trouble import Scene, Trouble
from pytest_devenv.probes.databases import needed_ids
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.redact import redacted
from pytest_devenv.probes.root import root_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import blocked, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

NAME = "workload.is_rolled_out"


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield a probe for every service that a workload runs; it requires what the service itself requires."""
    for service in settings.services.values():
        if workload_of(service) is None:
            continue
        roots = (root_id(settings.services[name]) for name in service.requires)
        also = needed_ids(settings, service) if service.kind is ServiceKind.HTTP else ()
        yield Probe(
            name=NAME,
            subject=service.name,
            look=partial(_is_rolled_out, service, shared),
            requires=tuple(dict.fromkeys((readable_id(settings), *roots, *also))),
        )


def workload_of(service: Service) -> tuple[str, str] | None:
    """Return the kind and the name of the workload that goes on running, None for a Job or none."""
    if service.workload is None:
        return None
    kind, _, name = service.workload.partition("/")
    return (kind, name) if kind in RESOURCES else None


def rolled_out_id(service: Service) -> str:
    """Return the id of the probe that says whether a service's workload is rolled out."""
    return probe_id(NAME, service.name)


def _is_rolled_out(service: Service, shared: Shared[Snapshot], environment: Environment) -> Verdict:
    cluster = cluster_of(environment)
    snapshot = shared.get(rolled_out_id(service), environment)
    kubectl = kubectl_of(environment.settings, cluster)
    found = workload_of(service)
    assert found is not None  # noqa: S101  # a service without a workload has no such probe
    kind, name = found
    workload = snapshot.named(RESOURCES[kind], name)
    if workload is None:
        return _missing(kind, name, snapshot, kubectl)
    rollout = rollout_of(kind, workload, snapshot)
    scene = Scene(
        workload=f"{kind}/{name}",
        kubectl=kubectl,
        now_s=snapshot.now_s,
        stable_s=environment.settings.stable_s,
        events=events_about((*rollout.owners, *rollout.pods), snapshot),
        undo=rollout.serves_before,
        load=load_of(cluster),
    )
    trouble = judge(rollout, scene)
    if trouble is None:
        return _well(scene.workload, rollout, snapshot)
    trouble = explained(trouble, snapshot, cluster, kubectl)
    return told(trouble, scene, snapshot, environment)


def judge(rollout: Rollout, scene: Scene) -> Trouble | None:
    """Return why a workload is not rolled out, or not to be trusted yet; None where it is well."""
    if rollout.wanted == 0 and scene.workload.partition("/")[0] in {"deployment", "statefulset"}:
        return Trouble(
            what="is scaled to 0",
            expected="at least 1 replica",
            found="0 replicas",
            where=scene.workload,
            remedy=scene.kubectl("scale", scene.workload, "--replicas=1"),
        )
    pods = [pod for pod in rollout.pods if rollout.missing is not None or not _ended(pod) or _thrown_out(pod, scene)]
    pods.sort(key=lambda pod: not _thrown_out(pod, scene))  # whatever its successor waits for comes after that
    troubles = (trouble_of(pod, scene) for pod in pods)
    trouble = next((each for each in troubles if each is not None), None)
    if trouble is not None or rollout.missing is None:
        return trouble
    if rollout.missing == "its rollout is paused":
        return Trouble(
            what="is paused",
            expected="the current generation rolled out",
            found=rollout.missing,
            where=scene.workload,
            remedy=scene.kubectl("rollout", "resume", scene.workload),
        )
    stuck = ":" in rollout.missing
    return Trouble(
        what="cannot make its pods" if stuck else "is not rolled out",
        expected=f"{rollout.wanted} of {rollout.wanted} pods of the current generation ready",
        found=" ".join(rollout.missing.split()),
        where=scene.workload,
        remedy=scene.kubectl("describe", scene.workload)
        if stuck
        else scene.kubectl("rollout", "status", scene.workload, "--timeout=60s"),
    )


def _ended(pod: Object) -> bool:
    """Return whether a pod is over, such as one that was evicted and has been replaced since."""
    return status_of(pod).get("phase") in {"Failed", "Succeeded"}


def _thrown_out(pod: Object, scene: Scene) -> bool:
    """Return whether a pod was ended as a whole, and so lately that its successor is not to be trusted yet."""
    status = status_of(pod)
    if status.get("phase") != "Failed" or not status.get("reason"):
        return False
    times = (epoch_s(each.get("lastTransitionTime")) for each in status.get("conditions") or ())
    ended_s = max((each for each in times if each is not None), default=None)
    return ended_s is not None and scene.now_s - ended_s < scene.stable_s


def load_of(cluster: Cluster) -> str | None:
    """Return the command that brings an image of this machine into the cluster, where its platform has one."""
    return None if cluster.platform is None else cluster.platform.load


def explained(trouble: Trouble, snapshot: Snapshot, cluster: Cluster, kubectl: Kubectl) -> Trouble:
    """Return the trouble with what is behind it: of a claim that is not bound, why."""
    for claim in trouble.claims:
        why = why_unbound(claim, snapshot, cluster, kubectl)
        if why is not None:
            return replace(why, what=f"cannot be scheduled: {why.what}", where=f"{trouble.where}, {why.where}")
    return trouble


def told(trouble: Trouble, scene: Scene, snapshot: Snapshot, environment: Environment) -> Verdict:
    """Return the verdict on a trouble, with the events and the log that belong to it."""
    cluster = cluster_of(environment)
    log = None if trouble.log is None else last_lines(cluster, trouble.log)
    said = ""
    if log is not None and trouble.says_why and log.text:
        said = f": {redacted(log.text.splitlines()[-1].strip(), environment)}"
    verdict = failed(
        f"{scene.workload} {trouble.what}{said}",
        expected=trouble.expected,
        found=f"{redacted(trouble.found, environment)}{said}",
        where=f"{trouble.where}, namespace {cluster.namespace}, context {cluster.context}",
        remedy=trouble.remedy,
        evidence=(*last_events(scene.events, snapshot), *(() if log is None else (log,))),
    )
    cause = secrets.cause_of(trouble, environment.settings) or nodes.cause_of(snapshot, scene.kubectl)
    return verdict if cause is None else blocked(cause, verdict)


def _missing(kind: str, name: str, snapshot: Snapshot, kubectl: Kubectl) -> Verdict:
    there = [name_of(each) for each in snapshot.all(RESOURCES[kind])]
    near = difflib.get_close_matches(name, there, n=1)
    others = f"; there is {kind}/{near[0]}" if near else ""
    create = f"create {kind}/{name}, or correct the workload in the settings: {kubectl('get', f'{kind}s')}"
    return failed(
        f"{kind}/{name} is not there",
        expected=f"{kind}/{name} in the namespace {kubectl.namespace}",
        found=f"none of this name{others}",
        where=f"namespace {kubectl.namespace}, context {kubectl.context or 'of this pod'}",
        remedy=kubectl.deploy(create),
    )


def _well(workload: str, rollout: Rollout, snapshot: Snapshot) -> Verdict:
    since = [_ready_since_s(pod) for pod in rollout.pods]
    stable_s = min((snapshot.now_s - each for each in since if each is not None), default=0.0)
    restarts = sum(state.get("restartCount") or 0 for pod in rollout.pods for _, state, _ in containers(pod))
    return passed(
        f"{rollout.ready} of {rollout.wanted} ready, since {age(stable_s)}",
        workload=workload,
        ready=rollout.ready,
        wanted=rollout.wanted,
        restarts=restarts,
        stable_s=round(max(0.0, stable_s)),
    )


def _ready_since_s(pod: Object) -> float | None:
    ready = condition(pod, "Ready")
    if ready is None or ready.get("status") != "True":
        return None
    return epoch_s(ready.get("lastTransitionTime"))
