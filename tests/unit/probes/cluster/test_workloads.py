"""Whether a workload is rolled out, by its numbers and by its pods."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_devenv.probes.cluster.rollout import rollout_of
from pytest_devenv.probes.cluster.workloads import judge
from tests.unit.probes.cluster.samples import (
    BEFORE,
    NOW,
    K,
    container,
    deployment,
    pod,
    replicaset,
    scene,
    snapshot,
    waiting,
)

WELL = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (deployment(**WELL), None),
        (deployment(generation=3, **WELL), "generation 3 not seen yet, the last one was 2"),
        (deployment(wanted=2, **WELL), "1 of 2 updated"),
        (deployment(**{**WELL, "replicas": 2}), "1 of an earlier revision not yet ended"),
        (deployment(**{**WELL, "availableReplicas": 0}), "0 of 1 available"),
    ],
)
def test_the_numbers_of_a_deployment(given: dict[str, Any], missing: str | None) -> None:
    """A deployment is rolled out once every pod is of the current generation, available, and alone."""
    assert rollout_of("deployment", given, snapshot()).missing == missing


@pytest.mark.parametrize(
    ("kind", "status", "missing"),
    [
        ("statefulset", {"readyReplicas": 1, "currentRevision": "a", "updateRevision": "a"}, None),
        ("statefulset", {"currentRevision": "a", "updateRevision": "a"}, "0 of 1 ready"),
        (
            "statefulset",
            {"readyReplicas": 1, "updatedReplicas": 0, "currentRevision": "a", "updateRevision": "b"},
            "0 of 1 updated",
        ),
        ("daemonset", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}, None),
        (
            "daemonset",
            {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2},
            "1 of 2 updated",
        ),
        (
            "daemonset",
            {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1},
            "1 of 2 available",
        ),
    ],
)
def test_the_numbers_of_other_workloads(kind: str, status: dict[str, Any], missing: str | None) -> None:
    """Stateful and daemon sets are judged by their own numbers."""
    assert rollout_of(kind, deployment(**status), snapshot()).missing == missing


def test_the_pods_of_the_current_revision_come_first() -> None:
    """A new pod that fails is told of, while the old one serves on and can be gone back to."""
    old = pod(container(), name="backend-5b-a")
    old["metadata"]["ownerReferences"] = [{"uid": "uid-backend-5b"}]
    new = pod(container(waiting("ImagePullBackOff")))
    sets = (replicaset(1, suffix="5b", readyReplicas=1), replicaset(2))
    rollout = rollout_of(
        "deployment",
        deployment(**{**WELL, "replicas": 2, "availableReplicas": 1}),
        snapshot(pods=(old, new), replicasets=sets),
    )
    assert [each["metadata"]["name"] for each in rollout.pods] == ["backend-6c-x1", "backend-5b-a"]
    assert rollout.serves_before
    found = judge(rollout, scene())
    assert found is not None
    assert found.what.startswith("cannot pull the image")


def test_an_evicted_pod_that_was_replaced_is_no_trouble() -> None:
    """What a rolled out workload has left behind does not count."""
    gone = pod(phase="Failed", reason="Evicted", name="backend-6c-old")
    there = snapshot(pods=(gone, pod(container())), replicasets=(replicaset(2),))
    assert judge(rollout_of("deployment", deployment(**WELL), there), scene()) is None


@pytest.mark.parametrize(("ended", "what"), [(NOW, "was evicted"), (BEFORE, None)])
def test_a_pod_that_was_evicted_lately_is_trouble_still(ended: str, what: str | None) -> None:
    """That its successor is ready in this instant says little: it may be thrown out the same way."""
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": ended}]
    gone = pod(phase="Failed", reason="Evicted", name="backend-6c-old", conditions=conditions)
    there = snapshot(pods=(gone, pod(container())), replicasets=(replicaset(2),))
    found = judge(rollout_of("deployment", deployment(**WELL), there), scene())
    assert (found and found.what) == what


def test_a_workload_that_is_scaled_to_zero_is_not_there() -> None:
    """Nothing runs, so nothing can be well."""
    found = judge(rollout_of("deployment", deployment(wanted=0), snapshot()), scene())
    assert found is not None
    assert (found.what, found.remedy) == ("is scaled to 0", f"{K} scale deployment/backend --replicas=1")


def test_pods_that_cannot_be_made_are_told_by_the_workload() -> None:
    """Where a quota or an admission refuses the pods, the workload's own condition says so."""
    refusal = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    found = judge(rollout_of("deployment", deployment(conditions=[refusal]), snapshot()), scene())
    assert found is not None
    assert (found.what, found.found) == ("cannot make its pods", "FailedCreate: exceeded quota")


def test_a_paused_rollout_is_resumed() -> None:
    """A deployment that was paused with changes pending says so."""
    given = deployment()
    given["spec"]["paused"] = True
    found = judge(rollout_of("deployment", given, snapshot()), scene())
    assert found is not None
    assert found.remedy == f"{K} rollout resume deployment/backend"
