"""A Job is run again: made anew, waited for, its log shown, and suspended again where it was."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes import Api, Kubeconfig, connect
from pytest_devenv.clients.kubernetes.jobs import Ended, run_again
from pytest_devenv.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.conftest import ReferenceCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

IMAGE = os.environ.get("TEST_CLUSTER_SHELL", "redis:7")
LONG_S = 240.0


@pytest.fixture(scope="module")
def api(reference_cluster: ReferenceCluster) -> Iterator[Api]:
    """Give the API of the tests' cluster."""
    made = connect(Kubeconfig((reference_cluster.kubeconfig,), reference_cluster.context, "a test"), deadline_s=30)
    yield made
    made.close()


@pytest.fixture(scope="module")
def namespace(reference_cluster: ReferenceCluster) -> Iterator[str]:
    """Give a namespace of these tests' own."""
    name = f"jobs-{uuid.uuid4().hex[:8]}"
    reference_cluster.kubectl("create", "namespace", name)
    yield name
    reference_cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def make(reference_cluster: ReferenceCluster, namespace: str) -> Callable[..., str]:
    """Give what makes a Job that runs a shell script, and returns its name."""

    def made(script: str, *, suspended: bool = True) -> str:
        name = f"job-{uuid.uuid4().hex[:8]}"
        container = {"name": "job", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]}
        template = {
            "metadata": {"labels": {"kept": "yes"}},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]},
        }
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "labels": {"mine": "yes"}},
            "spec": {"suspend": suspended, "backoffLimit": 0, "template": template},
        }
        reference_cluster.kubectl(f"--namespace={namespace}", "apply", "-f", "-", stdin=json.dumps(manifest))
        return name

    return made


def job_of(api: Api, namespace: str, name: str) -> dict[str, Any]:
    """Return a Job as the API server has it."""
    return api.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")


def test_suspended_job_runs_and_is_suspended_again_twice_in_a_row(
    api: Api, namespace: str, make: Callable[..., str]
) -> None:
    """Each run is a new one with its own log, and what the Job was made of is kept."""
    name = make("echo done by $HOSTNAME")
    logs = set()
    for _ in range(2):
        ended = run_again(api, namespace, name, deadline_s=LONG_S)
        assert ended.succeeded, ended
        logs.add(ended.log)
        found = job_of(api, namespace, name)
        assert found["spec"]["suspend"] is True
        assert found["metadata"]["labels"]["mine"] == "yes"
        assert found["spec"]["template"]["metadata"]["labels"]["kept"] == "yes"
    assert len(logs) == 2


def test_finished_job_runs_again(api: Api, namespace: str, make: Callable[..., str]) -> None:
    """A Job that is done is deleted and made anew, and left as it ended."""
    name = make("echo done", suspended=False)
    first = job_of(api, namespace, name)["metadata"]["uid"]
    assert run_again(api, namespace, name, deadline_s=LONG_S).log == "done"
    found = job_of(api, namespace, name)
    assert found["metadata"]["uid"] != first
    assert found["spec"]["suspend"] is False


def test_job_that_fails_tells_why_and_is_suspended_again(api: Api, namespace: str, make: Callable[..., str]) -> None:
    """A failure is no success with a strange log."""
    name = make("echo no such table; exit 3")
    ended: Ended = run_again(api, namespace, name, deadline_s=LONG_S)
    assert not ended.succeeded
    assert ended.log == "no such table"
    assert ended.reason.startswith("BackoffLimitExceeded")
    assert job_of(api, namespace, name)["spec"]["suspend"] is True


def test_job_that_does_not_end_is_given_up_and_suspended_again(
    api: Api, namespace: str, make: Callable[..., str]
) -> None:
    """The deadline is kept, says what was last seen, and leaves no pod running."""
    name = make("sleep 600")
    steps: list[str] = []
    with pytest.raises(WaitTimeoutError, match=f"expected the job {name} to end within 1 s, last seen: "):
        run_again(api, namespace, name, deadline_s=1, on_step=steps.append)
    assert steps[-1] == f"suspending the job {name} again"
    assert job_of(api, namespace, name)["spec"]["suspend"] is True
    pods = api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"job-name={name}")
    assert all("deletionTimestamp" in pod["metadata"] for pod in pods)
