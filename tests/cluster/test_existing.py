"""A forward that somebody holds at a service's local port already is used, where it leads to the same pod."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.settings import ClusterSource, Service, ServiceKind, Settings, TargetName
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.opening import opened
from tests.cluster.postgres import PORT, USER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.endpoint import Endpoint
    from tests.cluster.postgres import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

_HELD_S = 240.0


def free_port() -> int:
    """Return a port that nobody holds now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def holding(command: list[str], folder: Path, kubeconfig: Path, *ports: int) -> Iterator[None]:
    """Run a program that listens at these ports of this machine, once it does."""
    environ = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output) as it,
    ):
        try:
            end = time.monotonic() + _HELD_S
            for port in ports:
                while True:
                    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                        break
                    assert it.poll() is None, log.read_text()
                    assert time.monotonic() < end, log.read_text()
                    time.sleep(0.2)
            yield
        finally:
            it.terminate()


def endpoint(
    deployed: Deployed,
    folder: Path,
    local_port: int,
    *,
    namespace: str | None = None,
    workload: str = "deployment/postgres",
) -> Endpoint:
    """Return where a run would reach the PostgreSQL."""
    service = Service(
        name="postgres",
        kind=ServiceKind.POSTGRES,
        workload=workload,
        port=PORT,
        local_port=local_port,
        user=USER,
    )
    settings = Settings(
        root=folder,
        file=folder / "pyproject.toml",
        name="shop",
        target=TargetName.CLUSTER,
        cluster=ClusterSource.CONTEXT,
        contexts=(deployed.cluster.context,),
        namespace=namespace or deployed.namespace,
        services={"postgres": service},
        deadline_s=60,
    )
    environ = {"KUBECONFIG": str(deployed.cluster.kubeconfig)}
    with opened(settings, choose(settings, environ=environ)) as environment:
        return environment.endpoints["postgres"]


@pytest.fixture(autouse=True)
def _same_kubeconfig(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(deployed.cluster.kubeconfig))


def test_a_forward_of_kubectl_is_used(deployed: Deployed, tmp_path: Path) -> None:
    """The run goes through what `kubectl port-forward` holds, and past it where that leads to another namespace."""
    deployed.pod()
    port = free_port()
    pinned = ["kubectl", f"--context={deployed.cluster.context}", f"--namespace={deployed.namespace}"]
    forward = [*pinned, "port-forward", "deployment/postgres", f"{port}:{PORT}"]
    with holding(forward, tmp_path, deployed.cluster.kubeconfig, port):
        found = endpoint(deployed, tmp_path, port)
        assert (found.port, found.source) == (port, "kubectl's forward to deployment/postgres")
        other = endpoint(deployed, tmp_path, port, namespace="default")
        assert other.port != port
        assert other.source == "forward to deployment/postgres"


@pytest.mark.tilt
def test_a_forward_of_tilt_is_used(deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes through what the project's Tilt holds, as long as the pod behind it is the workload's."""
    tilt = shutil.which("tilt")
    if tilt is None:
        pytest.skip("there is no tilt on PATH")
    port, web = free_port(), free_port()
    found = json.loads(deployed.kubectl("get", "deployment/postgres", "--output=json"))
    metadata = {"name": "tilted", "namespace": deployed.namespace}
    spec = {key: found["spec"][key] for key in ("selector", "template")}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": relabelled(spec)}
    (tmp_path / "tilted.yaml").write_text(json.dumps(manifest))
    (tmp_path / "Tiltfile").write_text(
        f"allow_k8s_contexts('{deployed.cluster.context}')\n"
        "k8s_yaml('tilted.yaml')\n"
        f"k8s_resource('tilted', port_forwards=[port_forward({port}, {PORT}, host='127.0.0.1')])\n"
    )
    monkeypatch.setenv("TILT_PORT", str(web))
    monkeypatch.setenv("TILT_DISABLE_ANALYTICS", "1")
    up = [tilt, "up", f"--context={deployed.cluster.context}", f"--port={web}", "--stream"]
    with holding(up, tmp_path, deployed.cluster.kubeconfig, web, port):
        deployed.kubectl("rollout", "status", "deployment/tilted", "--timeout=200s")
        told = "Tilt's forward to deployment/tilted"
        deployed.until(lambda: endpoint(deployed, tmp_path, port, workload="deployment/tilted").source == told)
        assert endpoint(deployed, tmp_path, port).source == "forward to deployment/postgres"
    deployed.kubectl("delete", "deployment/tilted", "--wait=false")


def relabelled(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what the PostgreSQL is made of under another label, so that no Service and no workload takes it for it."""
    labels = {"app": "tilted"}
    template = {"metadata": {"labels": labels}, "spec": spec["template"]["spec"]}
    return {"selector": {"matchLabels": labels}, "template": template}
