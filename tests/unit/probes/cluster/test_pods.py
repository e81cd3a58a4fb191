"""Why a pod is not ready, in every way that its own status and its events tell."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_devenv.probes.cluster.pods import trouble_of
from pytest_devenv.probes.cluster.trouble import Log, Trouble
from tests.unit.probes.cluster.samples import BEFORE, DEPLOY, IMAGE, K, container, ended, event, pod, scene, waiting

NOT_FOUND = f'failed to pull and unpack image "{IMAGE}": not found'


def trouble(given: dict[str, Any], *events: dict[str, Any], undo: bool = False, ends: bool = False) -> Trouble:
    """Return the trouble that a pod is in."""
    found = trouble_of(given, scene(*events, undo=undo, ends=ends))
    assert found is not None
    return found


def test_a_pod_that_is_ready_has_no_trouble() -> None:
    """A container that runs, is ready and was never restarted is well."""
    assert trouble_of(pod(container()), scene()) is None


def test_a_pod_that_is_being_deleted_is_no_trouble() -> None:
    """Whatever a pod is in while it ends, its successor counts."""
    leaving = pod(container(waiting("CrashLoopBackOff")))
    leaving["metadata"]["deletionTimestamp"] = BEFORE
    assert trouble_of(leaving, scene()) is None


def test_a_resource_that_no_node_has_enough_of_is_named() -> None:
    """An unschedulable pod says which resource is short, what asks for it, and the command that asks for less."""
    message = "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption."
    spec = {"containers": [{"name": "backend", "resources": {"requests": {"memory": "64Gi"}}}]}
    found = trouble(pod(spec=spec, phase="Pending", conditions=[unscheduled(message)]))
    assert found.what == "cannot be scheduled: no node has enough memory"
    assert found.expected == "a node that takes the pod, which asks for memory 64Gi in backend"
    assert found.found == message
    assert found.remedy == f"{K} set resources deployment/backend --containers=backend --requests=memory=128Mi"


def test_a_claim_that_is_not_bound_is_named() -> None:
    """A pod that waits for its volume names the claims, whose own trouble is told in its place."""
    spec = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    message = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    assert trouble(pod(spec=spec, phase="Pending", conditions=[unscheduled(message)])).claims == ("data",)


def test_an_evicted_pod_says_why() -> None:
    """A pod that its node threw out says of what the node was short."""
    found = trouble(pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory. "))
    assert found.what == "was evicted"
    assert found.found == "Evicted: The node was low on resource: memory."
    node = "kubectl --context kind-shop describe node shop-control-plane"
    assert found.remedy == f"{node}, make room on it, then: {K} delete pod/backend-6c-x1"


def test_a_pod_that_was_evicted_for_its_own_limit_is_given_more() -> None:
    """What a pod wrote over a limit of its own is mended at the workload, and no node has to make room for it."""
    message = 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". '
    found = trouble(pod(phase="Failed", reason="Evicted", message=message))
    assert found.found == 'Evicted: Usage of EmptyDir volume "scratch" exceeds the limit "1Mi".'
    assert found.remedy == f"raise that limit, or have it write less: {K} edit deployment/backend"


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"])
def test_an_image_that_is_not_there_is_named(reason: str) -> None:
    """An image that cannot be pulled is named, with what the registry said and the two ways to mend it."""
    given = pod(container(waiting(reason, f'Back-off pulling image "{IMAGE}"')), phase="Pending")
    found = trouble(given, event("Failed", f"Failed to pull image: {NOT_FOUND}"))
    assert found.what == f"cannot pull the image {IMAGE}"
    assert found.found == f"{reason}: Failed to pull image: {NOT_FOUND}"
    correct = f"name an image that is there: {K} set image deployment/backend 'backend=shop/backend:…'"
    load = f"; or, if this machine has it: kind load docker-image {IMAGE} --name shop"
    assert found.remedy == correct + ("" if reason == "InvalidImageName" else load)


def test_an_earlier_revision_that_serves_is_gone_back_to() -> None:
    """Where the revision before still runs, the remedy is to go back to it."""
    assert trouble(pod(container(waiting("ErrImagePull"))), undo=True).remedy == f"{K} rollout undo deployment/backend"


def test_a_crash_loop_has_its_exit_code_and_its_previous_log() -> None:
    """A container that crashes again and again says with which code, how often, and which log to read."""
    state = container(waiting("CrashLoopBackOff"), restartCount=4, lastState=ended(127))
    found = trouble(pod(state))
    assert found.what == "crashes again and again: exit code 127: its command is not found"
    assert found.found == "exit code 127: its command is not found, restarted 4 times"
    assert found.remedy == f"mend what its last lines say, then: {K} rollout restart deployment/backend"
    assert found.log == Log(pod="backend-6c-x1", container="backend", previous=True)


def test_a_container_between_two_crashes_is_not_well() -> None:
    """A container that is ready at this instant, restarted seconds ago, is still crashing."""
    running = {"running": {"startedAt": "2026-11-29T12:00:55Z"}}
    state = {**container(running, restartCount=2, lastState=ended(1)), "ready": True}
    assert trouble(pod(state)).what == "crashes again and again: exit code 1"
    state["state"] = {"running": {"startedAt": BEFORE}}
    assert trouble_of(pod(state), scene()) is None


def test_a_container_killed_for_its_liveness_says_so() -> None:
    """A container that the kubelet kills is not said to crash by itself."""
    state = container(waiting("CrashLoopBackOff"), restartCount=3, lastState=ended(137))
    found = trouble(pod(state), event("Unhealthy", "Liveness probe failed: Get http://10.0.0.1/health: EOF"))
    assert found.what == "is killed again and again: its liveness probe fails"
    assert "Liveness probe failed: Get" in found.found


def test_out_of_memory_doubles_the_limit() -> None:
    """A container that was killed for its memory says at which limit, and the command that raises it."""
    state = container(waiting("CrashLoopBackOff"), restartCount=3, lastState=ended(137, "OOMKilled"))
    spec = {"containers": [{"name": "backend", "resources": {"limits": {"memory": "64Mi"}}}]}
    found = trouble(pod(state, spec=spec))
    assert found.what == "runs out of memory: backend was killed at its limit of 64Mi"
    assert found.found == "OOMKilled (exit code 137), restarted 3 times"
    assert found.remedy == f"{K} set resources deployment/backend --containers=backend --limits=memory=128Mi"


@pytest.mark.parametrize(
    ("message", "what", "secret"),
    [
        (
            "couldn't find key jwt-secret in Secret shop-dev/shop",
            "waits for the key jwt-secret of the Secret shop, which is not there",
            ("shop", "jwt-secret"),
        ),
        ('secret "shop" not found', "waits for the Secret shop, which is not there", ("shop", None)),
        (
            "couldn't find key level in ConfigMap shop-dev/shop",
            "waits for the key level of the ConfigMap shop, which is not there",
            None,
        ),
        ('configmap "shop" not found', "waits for the ConfigMap shop, which is not there", None),
    ],
)
def test_a_missing_source_is_named_by_the_pod_itself(message: str, what: str, secret: tuple[str, str] | None) -> None:
    """What a container waits for is named without any right to read Secrets."""
    found = trouble(pod(container(waiting("CreateContainerConfigError", message)), phase="Pending"))
    assert (found.what, found.secret, found.remedy) == (what, secret, DEPLOY)


def test_a_volume_of_a_missing_secret_is_named() -> None:
    """A pod whose containers cannot be created for want of a volume says which Secret that is made of."""
    message = 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found'
    given = pod(container(waiting("ContainerCreating")), phase="Pending")
    assert trouble(given, event("FailedMount", message)).secret == ("keys", None)
    assert trouble(given).what == "is starting"


def test_a_volume_that_was_mounted_at_the_second_attempt_is_no_trouble() -> None:
    """The event of the first attempt stays for an hour; a container that runs has its volumes."""
    message = 'MountVolume.SetUp failed for volume "keys" : failed to sync secret cache: timed out'
    assert trouble_of(pod(container()), scene(event("FailedMount", message))) is None


def test_an_init_container_that_waits_is_asked_for_its_last_line() -> None:
    """A pod that waits for its init container says which, and reads its log for the reason."""
    status = {"name": "wait", "state": {"running": {"startedAt": BEFORE}}}
    given = pod(container(waiting("PodInitializing")), spec={}, phase="Pending", initContainerStatuses=[status])
    given["spec"]["initContainers"] = [{"name": "wait"}]
    found = trouble(given)
    assert (found.what, found.found) == ("waits for its init container wait", "running since 60s")
    assert (found.says_why, found.log) == (True, Log(pod="backend-6c-x1", container="wait"))
    given["spec"]["initContainers"] = [{"name": "wait", "restartPolicy": "Always"}]
    assert trouble(given).what == "is not ready: the readiness probe of wait fails"


def test_a_failing_probe_says_its_last_answer() -> None:
    """A container that is not ready says which probe fails, and what it last answered."""
    answer = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    found = trouble(pod(container({"running": {"startedAt": BEFORE}}, started=True)), answer)
    assert found.what == "is not ready: the readiness probe of backend fails"
    assert found.found == "Readiness probe failed: HTTP probe failed with statuscode: 503; it runs since 60s"
    assert found.remedy == f"mend what its log says: {K} logs pod/backend-6c-x1 --container backend --tail=50"


def test_a_container_that_cannot_be_started_says_why() -> None:
    """What the container runtime refuses is told in its words."""
    found = trouble(pod(container(waiting("RunContainerError", 'exec: "serve": not found'))))
    assert (found.what, found.found) == (
        "cannot start container backend",
        'RunContainerError: exec: "serve": not found',
    )


def test_a_container_of_a_job_is_done_when_it_ends_with_zero() -> None:
    """What is a crash of a deployment is what a Job is there for."""
    state = container(ended(0, "Completed"))
    assert trouble_of(pod(state), scene(ends=True)) is None
    assert trouble(pod(state)).what == "has crashed: exit code 0"


def test_a_readiness_gate_is_told() -> None:
    """A pod whose containers are ready, and which is not, says what it waits for."""
    gate = {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "gate is False"}
    assert trouble(pod(container(), conditions=[gate])).found == "ReadinessGatesNotReady: gate is False"


def unscheduled(message: str) -> dict[str, Any]:
    """Return the condition of a pod that no node takes."""
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
