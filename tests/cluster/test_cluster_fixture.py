"""What the fixture `cluster` does where pods run: logs, events, commands, jobs, forwards."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes import Cluster, Kubeconfig, connect
from pytest_devenv.clients.kubernetes.platform import platform_of
from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.fixtures.cluster import ClusterHandle
from pytest_devenv.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.conftest import ReferenceCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

IMAGE = "redis:7"
WAIT_S = 180.0
CACHE = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: cache}}
spec:
  selector: {{matchLabels: {{app: cache}}}}
  template:
    metadata: {{labels: {{app: cache}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: redis
          image: {IMAGE}
          imagePullPolicy: IfNotPresent
          command: [redis-server, --save, "", --dir, /tmp]
          ports: [{{name: redis, containerPort: 6379}}]
          readinessProbe: {{tcpSocket: {{port: 6379}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: cache}}
spec:
  selector: {{app: cache}}
  ports: [{{port: 16379, targetPort: redis}}]
"""


@pytest.fixture(scope="module")
def cluster(reference_cluster: ReferenceCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterHandle]:
    """Give the handle that tests of a project get."""
    root: Path = tmp_path_factory.mktemp("project")
    config = Kubeconfig((reference_cluster.kubeconfig,), reference_cluster.context, "a test")
    api = connect(config, deadline_s=30)
    settings = Settings(root=root, file=root / "pyproject.toml", name="shop", deadline_s=30)
    handle = ClusterHandle(Cluster(api, "default", config.context, platform_of(api), config), settings)
    yield handle
    handle.close()
    api.close()


@pytest.fixture(scope="module")
def space(cluster: ClusterHandle) -> Iterator[ClusterHandle]:
    """Give the handle in a namespace with a redis that runs."""
    with cluster.isolated() as handle:
        handle.apply(CACHE)
        handle.wait("deployment/cache", "rollout", deadline_s=WAIT_S)
        yield handle


def job(name: str, script: str) -> dict[str, Any]:
    """Return the manifest of a job that runs a shell script once."""
    container = {"name": "job", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]}
    spec = {"restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }


def pinged(port: int) -> bytes:
    """Return what the redis at a port of this machine answers to PING; nothing where nobody does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7)
    except OSError:
        return b""


def test_the_cluster_of_the_tests_is_a_kind_cluster(cluster: ClusterHandle) -> None:
    """The platform is told by the cluster itself, with the command that loads an image into this very one."""
    assert cluster.platform is not None
    assert cluster.platform.name == "kind"
    assert cluster.platform.load is not None
    assert cluster.platform.load.endswith(f"--name {cluster.context.removeprefix('kind-')}")


def test_logs_are_of_a_pod_of_what_is_named(space: ClusterHandle) -> None:
    """A deployment, a service and a pod each give the log of a container."""
    (pod,) = space.objects("pods", selector="app=cache")
    for name in ("deployment/cache", "service/cache", f"pod/{pod['metadata']['name']}"):
        assert "Ready to accept connections" in space.logs(name)
    assert len(space.logs("deploy/cache", tail=1).splitlines()) == 1


def test_events_tell_what_happened_to_a_pod(space: ClusterHandle) -> None:
    """What the kubelet did with a pod is told in its order."""
    (pod,) = space.objects("pods", selector="app=cache")
    reasons = [each.reason for each in space.events(f"pod/{pod['metadata']['name']}")]
    assert reasons.index("Scheduled") < reasons.index("Started")


def test_a_command_runs_in_a_pod(space: ClusterHandle) -> None:
    """It is given its input, gives its output and its status, and one that fails is told with what it wrote."""
    assert space.exec("deployment/cache", ["cat"], stdin="grüße").stdout == "grüße"
    ended = space.exec("deployment/cache", ["sh", "-c", "echo no >&2; exit 3"], check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "no\n")
    with pytest.raises(TargetError, match=r"(?s)a command in pod/cache-.* failed: sh\n.*found: 3\n.*\n    no\n"):
        space.exec("deployment/cache", ["sh", "-c", "echo no >&2; exit 3"])
    with pytest.raises(WaitTimeoutError, match="did not end within 1 s: sleep"):
        space.exec("deployment/cache", ["sleep", "600"], deadline_s=1)


def test_a_job_is_waited_for_and_its_log_kept(space: ClusterHandle) -> None:
    """A job that completes gives its log, and one that fails says why, with the same."""
    assert space.run_job(job("good", "echo done"), deadline_s=WAIT_S).logs == "done\n"
    bad = space.run_job(job("bad", "echo broken; exit 4"), deadline_s=WAIT_S, check=False)
    assert (bad.succeeded, bad.logs) == (False, "broken\n")
    assert bad.reason.startswith("BackoffLimitExceeded")
    with pytest.raises(TargetError, match=r"(?s)the job worse failed\n.*BackoffLimitExceeded.*\n    broken\n"):
        space.run_job(job("worse", "echo broken; exit 4"), deadline_s=WAIT_S)


@pytest.mark.parametrize(("name", "port"), [("deployment/cache", 6379), ("service/cache", 16379)])
def test_a_forward_leads_to_the_pod(space: ClusterHandle, name: str, port: int) -> None:
    """A workload's port and a Service's lead to the same server, each from a port of its own."""
    forward = space.port_forward(name, port)
    assert pinged(forward.port) == b"+PONG\r\n"


def test_a_forward_outlives_its_pod(space: ClusterHandle) -> None:
    """When the pod is deleted and another has taken its place, the same local port leads there."""
    forward = space.port_forward("deployment/cache", 6379)
    (pod,) = space.objects("pods", selector="app=cache")
    space.delete(f"pod/{pod['metadata']['name']}", deadline_s=WAIT_S)
    space.wait("deployment/cache", "rollout", deadline_s=WAIT_S)
    deadline = time.monotonic() + WAIT_S
    while pinged(forward.port) != b"+PONG\r\n":
        assert time.monotonic() < deadline, forward.problem
        time.sleep(0.1)


def test_a_port_without_a_server_is_refused_at_once(space: ClusterHandle) -> None:
    """Where nothing listens in the pod no forward is handed out, and where no pod is ready that is said."""
    with pytest.raises(TargetError, match="deployment/cache takes no connection at port 6380"):
        space.port_forward("deployment/cache", 6380, settle_s=30)
    space.apply(
        CACHE.replace("name: cache", "name: broken").replace("app: cache", "app: broken").replace(IMAGE, "none:1")
    )
    with pytest.raises(TargetError, match="no pod of deployment/broken takes connections"):
        space.port_forward("deployment/broken", 6379)


def test_a_namespace_goes_with_all_that_is_in_it(cluster: ClusterHandle) -> None:
    """After the test nothing of its namespace is left, the pods in it neither."""
    with cluster.isolated() as own:
        own.apply(CACHE)
    assert cluster.wait(f"namespace/{own.namespace}", "delete", deadline_s=WAIT_S) is None
