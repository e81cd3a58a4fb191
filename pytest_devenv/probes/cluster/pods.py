"""Why a pod is not ready: what its status and its events say, judged without another look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.containers import STARTING, trouble_of_container
from pytest_devenv.probes.cluster.objects import condition, containers, name_of, spec_of, status_of
from pytest_devenv.probes.cluster.trouble import Trouble, last_event

if TYPE_CHECKING:
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.trouble import Scene

_SCHEDULED = "a node that takes the pod"
_INSUFFICIENT = re.compile(r"Insufficient (?P<resource>[\w./-]+[\w/-])")
# https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/eviction/eviction_manager.go: in its own messages
_OWN_LIMIT = re.compile(r"exceed(?:s|ed) (?:the|its) .*limit")
_ENOUGH_FOR_MOST = {"memory": "128Mi", "cpu": "100m", "ephemeral-storage": "1Gi"}
_CLAIMS = re.compile(r"PersistentVolumeClaim", re.IGNORECASE)
_MOUNT_REASONS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_VOLUME_SOURCE = re.compile(r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found')
_SOURCE_NAMES = {"secret": "Secret", "configmap": "ConfigMap"}


def trouble_of(pod: Object, scene: Scene) -> Trouble | None:
    """Return what keeps a pod from being ready and staying so, or None where nothing does."""
    if pod.get("metadata", {}).get("deletionTimestamp"):
        return None
    status = status_of(pod)
    if status.get("phase") == "Failed" and status.get("reason"):
        return _ended(pod, scene)
    scheduled = condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        return _unschedulable(pod, scheduled, scene)
    mount = _mount(pod, scene)
    if mount is not None:
        return mount
    for container, state, is_init in containers(pod):
        trouble = trouble_of_container(pod, container, state, scene, is_init=is_init)
        if trouble is not None:
            return trouble
    return _gated(pod, scene)


def claims_of(pod: Object) -> tuple[str, ...]:
    """Return the names of the volume claims that a pod uses."""
    volumes = spec_of(pod).get("volumes") or ()
    return tuple(each["persistentVolumeClaim"]["claimName"] for each in volumes if each.get("persistentVolumeClaim"))


def _ended(pod: Object, scene: Scene) -> Trouble:
    """Return why a pod was ended as a whole: evicted, preempted, or its node was shut down."""
    status = status_of(pod)
    reason, message = str(status["reason"]), " ".join(str(status.get("message", "")).split())
    name = name_of(pod)
    evicted = reason == "Evicted"
    if _OWN_LIMIT.search(message):
        remedy = f"raise that limit, or have it write less: {scene.kubectl('edit', scene.workload)}"
    else:
        describe = scene.kubectl.anywhere("describe", "node", spec_of(pod).get("nodeName", ""))
        remedy = f"{describe}, make room on it, then: {scene.kubectl('delete', f'pod/{name}')}"
    return Trouble(
        what="was evicted" if evicted else f"was ended: {reason}",
        expected="a pod that stays",
        found=f"{reason}: {message}" if message else reason,
        where=f"pod/{name}",
        remedy=remedy,
    )


def _unschedulable(pod: Object, scheduled: Object, scene: Scene) -> Trouble:
    message = " ".join(str(scheduled.get("message", "")).split())
    claims = claims_of(pod) if _CLAIMS.search(message) else ()
    lacking = _INSUFFICIENT.search(message)
    describe = scene.kubectl("describe", f"pod/{name_of(pod)}")
    if scheduled.get("reason") == "SchedulingGated":
        what, remedy = "is held back by a scheduling gate", describe
    elif claims:
        what, remedy = "cannot be scheduled: a volume claim is not bound", scene.kubectl("describe", "pvc", *claims)
    elif lacking is not None:
        resource = lacking["resource"].rstrip(".,")
        what = f"cannot be scheduled: no node has enough {resource}"
        return Trouble(
            what=what,
            expected=f"{_SCHEDULED}, which asks for {_asked(pod, resource)}",
            found=message,
            where=f"pod/{name_of(pod)}",
            remedy=_ask_for_less(pod, resource, scene),
        )
    elif "taint" in message:
        what, remedy = "cannot be scheduled: it does not tolerate the nodes' taints", _taints(scene)
    elif "affinity" in message or "selector" in message:
        what, remedy = "cannot be scheduled: no node fits its node selector or affinity", _labels(scene)
    else:
        what, remedy = "cannot be scheduled", describe
    return Trouble(
        what=what,
        expected=_SCHEDULED,
        found=message or "not scheduled yet",
        where=f"pod/{name_of(pod)}",
        remedy=remedy,
        claims=claims,
    )


def _asked(pod: Object, resource: str) -> str:
    """Return what the containers of a pod ask for of a resource."""
    asked = [
        f"{requests[resource]} in {container['name']}"
        for container, _, _ in containers(pod)
        if resource in (requests := (container.get("resources") or {}).get("requests") or {})
    ]
    return f"{resource} {', '.join(asked)}" if asked else resource


def _ask_for_less(pod: Object, resource: str, scene: Scene) -> str:
    """Return the command that lowers the requests of the containers which ask for a resource."""
    asking = [
        container["name"]
        for container, _, _ in containers(pod)
        if resource in ((container.get("resources") or {}).get("requests") or {})
    ]
    enough = _ENOUGH_FOR_MOST.get(resource)
    if scene.ends:
        return f"lower its request, then: {scene.anew}"
    if enough is None or not asking:
        return f"{scene.kubectl('edit', scene.workload)}, and take {resource} out of its requests"
    return scene.kubectl(
        "set", "resources", scene.workload, f"--containers={','.join(asking)}", f"--requests={resource}={enough}"
    )


def _taints(scene: Scene) -> str:
    return scene.kubectl.anywhere("get", "nodes", "-o", "custom-columns=NODE:.metadata.name,TAINTS:.spec.taints")


def _labels(scene: Scene) -> str:
    return scene.kubectl.anywhere("get", "nodes", "--show-labels")


def _mount(pod: Object, scene: Scene) -> Trouble | None:
    """Return what keeps a volume from being mounted, where that is why no container starts.

    Where one has begun the volumes are there, whatever an event tells of a first attempt.
    """
    message = last_event(pod, scene, _MOUNT_REASONS)
    if message is None or not all(_has_not_begun(status.get("state") or {}) for _, status, _ in containers(pod)):
        return None
    found = " ".join(message.split())
    source = _VOLUME_SOURCE.search(found)
    where, describe = f"pod/{name_of(pod)}", scene.kubectl("describe", f"pod/{name_of(pod)}")
    if source is None:
        return Trouble(
            what="cannot mount a volume", expected="its volumes mounted", found=found, where=where, remedy=describe
        )
    kind, name = _SOURCE_NAMES[source["kind"]], source["name"]
    return Trouble(
        what=f"waits for the {kind} {name}, which is not there",
        expected=f"the {kind} {name}, which a volume of the pod is made of",
        found=found,
        where=where,
        remedy=scene.kubectl.deploy(scene.kubectl("create", *_CREATE[kind], name, "--from-file=…")),
        secret=(name, None) if kind == "Secret" else None,
    )


def _has_not_begun(state: Object) -> bool:
    return not state.keys() & {"running", "terminated"} and (state.get("waiting") or {}).get("reason") in STARTING


_CREATE = {"Secret": ("secret", "generic"), "ConfigMap": ("configmap",)}


def _gated(pod: Object, scene: Scene) -> Trouble | None:
    """Return what a pod waits for whose containers are all ready, which is one of its readiness gates."""
    ready = condition(pod, "Ready")
    if ready is None or ready.get("status") == "True":
        return None
    return Trouble(
        what="is not ready",
        expected="a pod that is Ready",
        found=" ".join(f"{ready.get('reason', '')}: {ready.get('message', '')}".strip(": ").split()) or "not Ready",
        where=f"pod/{name_of(pod)}",
        remedy=scene.kubectl("describe", f"pod/{name_of(pod)}"),
    )
