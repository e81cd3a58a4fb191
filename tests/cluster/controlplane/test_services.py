"""Workloads as they are told, stopped and started again: with a real API, in which nothing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes.services import Workload, workloads
from pytest_devenv.clients.kubernetes.stopping import stopped
from pytest_devenv.errors import WaitTimeoutError
from tests.cluster.controlplane.conftest import DEPLOYMENT
from tests.cluster.controlplane.test_handle import status

if TYPE_CHECKING:
    from pytest_devenv.fixtures.cluster import ClusterHandle

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300)]

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: migration}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migration, image: "shop/tools:1"}]
"""
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "backend-1", "labels": {"app": "backend"}},
    "spec": {"containers": [{"name": "backend", "image": "shop/backend:1"}]},
}


def replicas(space: ClusterHandle) -> int:
    """Return how many pods the Deployment is to have."""
    return int(space.get("deployment/backend")["spec"]["replicas"])


def test_state_and_restarts_of_each_workload_are_told(space: ClusterHandle) -> None:
    """A Deployment that lacks a pod is not well; a Job that nobody has let run is. No kubelet measures anything."""
    space.apply(DEPLOYMENT)
    space.apply(JOB)
    space.apply(POD)
    path = f"/api/v1/namespaces/{space.namespace}/pods/backend-1/status"
    container = {"name": "backend", "restartCount": 3, "ready": True, "image": "", "imageID": "", "state": {}}
    told = {"status": {"containerStatuses": [container]}}
    space.api.request("PATCH", path, told, content_type="application/merge-patch+json")
    status(space, "backend", replicas=2, readyReplicas=1)
    backend, job = workloads(space.api, space.namespace)
    assert backend == Workload(
        name="deployment/backend", state="1 of 2 ready", well=False, restarts=3, pods=("backend-1",)
    )
    assert (job.name, job.state, job.well) == ("job/migration", "suspended", True)


def test_stopped_workload_is_started_again_whatever_happens(space: ClusterHandle) -> None:
    """It has no replica while somebody works, and as many as before when that has failed."""
    space.apply(DEPLOYMENT)

    def work() -> None:
        with stopped(space.api, space.namespace, ["deployment/backend"], deadline_s=30):
            assert replicas(space) == 0
            raise RuntimeError("it went wrong")

    with pytest.raises(RuntimeError, match="it went wrong"):
        work()
    assert replicas(space) == 2


def test_workload_that_does_not_stop_is_told_and_started_again(space: ClusterHandle) -> None:
    """A pod that stays ends the waiting with its name, and nothing is worked on."""
    space.apply(DEPLOYMENT)
    space.apply(POD)
    with (
        pytest.raises(WaitTimeoutError, match=r"expected no pod of deployment/backend within 1 s .*, found backend-1"),
        stopped(space.api, space.namespace, ["deployment/backend"], deadline_s=1),
    ):
        pytest.fail("a pod was still there")
    assert replicas(space) == 2
