"""Whether a Job has completed, and if not, what its pods say."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.evidence import events_about
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import readable_id
from pytest_devenv.probes.cluster.objects import age, condition, epoch_s, name_of, owned, spec_of, status_of
from pytest_devenv.probes.cluster.pods import trouble_of
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.cluster.trouble import Scene, Trouble
from pytest_devenv.probes.cluster.workloads import explained, load_of, told
from pytest_devenv.probes.jobs import migrated_by
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.root import ROOTS, root_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, off, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

NAME = ROOTS[ServiceKind.JOB]


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield the root probe of every Job that the settings say is one in the cluster."""
    for service in settings.services.values():
        if not in_cluster(service):
            continue
        requires = (readable_id(settings), *(root_id(settings.services[name]) for name in service.requires))
        look = partial(_completed, service, shared)
        yield Probe(name=NAME, subject=service.name, look=look, requires=tuple(dict.fromkeys(requires)))


def in_cluster(service: Service) -> bool:
    """Return whether a service is a Job whose object in the cluster the settings name."""
    kind = (service.workload or "").partition("/")[0]
    return service.kind is ServiceKind.JOB and kind in {"job", "cronjob"}


def _completed(service: Service, shared: Shared[Snapshot], environment: Environment) -> Verdict:
    cluster, settings = cluster_of(environment), environment.settings
    snapshot, kubectl = shared.get(root_id(service), environment), kubectl_of(settings, cluster)
    kind, _, name = (service.workload or "").partition("/")
    job = _job(kind, name, snapshot)
    if job is None:
        databases = [each.name for each in migrated_by(settings, service)] if service.migrates else []
        if databases:
            return off(f"{kind}/{name} is not there any more; its work is judged by what it migrates: {databases[0]}")
        return failed(
            f"{kind}/{name} is not there",
            expected=f"{kind}/{name}, completed" if kind == "job" else f"a Job of {kind}/{name}, completed",
            found="none of this name" if kind == "job" else "no Job of it yet",
            where=f"namespace {cluster.namespace}, context {cluster.context}",
            remedy=kubectl.deploy(f"create {kind}/{name}")
            if kind == "job"
            else kubectl("create", "job", f"--from=cronjob/{name}", f"{name}-by-hand"),
        )
    pods = tuple(reversed(owned(snapshot.all("pods"), job)))
    scene = Scene(
        workload=f"job/{name_of(job)}",
        kubectl=kubectl,
        now_s=snapshot.now_s,
        stable_s=math.inf,
        ends=True,
        events=events_about((job, *pods), snapshot),
        load=load_of(cluster),
    )
    trouble = judge(job, pods, scene)
    if trouble is None:
        return _done(job, scene)
    needed = any(service.name in other.requires for other in settings.services.values())
    if spec_of(job).get("suspend") and not needed:
        return off(f"{scene.workload} is suspended, and nothing requires it")
    return told(explained(trouble, snapshot, cluster, kubectl), scene, snapshot, environment)


def _job(kind: str, name: str, snapshot: Snapshot) -> Object | None:
    """Return the Job of this name, or the newest of a CronJob."""
    if kind == "job":
        return snapshot.named("jobs", name)
    schedule = snapshot.named("cronjobs", name)
    made = () if schedule is None else owned(snapshot.all("jobs"), schedule)
    return made[-1] if made else None


def judge(job: Object, pods: tuple[Object, ...], scene: Scene) -> Trouble | None:
    """Return why a Job has not completed, None where it has. `pods` are its own, the newest first."""
    complete, given_up = condition(job, "Complete"), condition(job, "Failed")
    if complete is not None and complete.get("status") == "True":
        return None
    if given_up is not None and given_up.get("status") == "True":
        return _given_up(given_up, pods, scene)
    if spec_of(job).get("suspend"):
        return Trouble(
            what="is suspended",
            expected="a Job that has completed",
            found="suspend: true",
            where=scene.workload,
            remedy=scene.kubectl("patch", scene.workload, "--patch", '{"spec": {"suspend": false}}'),
        )
    trouble = _trouble(pods, scene)
    return _under_way(job, scene) if trouble is None else trouble


def _trouble(pods: tuple[Object, ...], scene: Scene) -> Trouble | None:
    troubles = (trouble_of(pod, scene) for pod in pods)
    return next((each for each in troubles if each is not None), None)


def _given_up(failure: Object, pods: tuple[Object, ...], scene: Scene) -> Trouble:
    """Return why a Job has failed for good: what its last pod died of, where one is left."""
    reason = f"{failure.get('reason')}: {' '.join(str(failure.get('message', '')).split())}"
    trouble = _trouble(pods, scene)
    if trouble is not None:
        return replace(trouble, found=f"{trouble.found}; {reason}")
    return Trouble(
        what=f"has failed: {failure.get('reason')}",
        expected="a Job that has completed",
        found=f"{reason}; none of its pods is left",
        where=scene.workload,
        remedy=f"run it again, and see what it says: {scene.anew}",
    )


def _under_way(job: Object, scene: Scene) -> Trouble:
    began = epoch_s(status_of(job).get("startTime"))
    since = "it has not begun" if began is None else f"it runs since {age(scene.now_s - began)}"
    return Trouble(
        what="has not completed yet",
        expected="a Job that has completed",
        found=since,
        where=scene.workload,
        remedy=scene.kubectl("wait", "--for=condition=complete", scene.workload, "--timeout=60s"),
    )


def _done(job: Object, scene: Scene) -> Verdict:
    ended = epoch_s(status_of(job).get("completionTime"))
    ago = "" if ended is None else f" {age(scene.now_s - ended)} ago"
    attempts = int(status_of(job).get("failed") or 0)
    return passed(f"{scene.workload} completed{ago}", workload=scene.workload, failed_attempts=attempts)
