"""What the manifests would change, of objects that a real API has: also what was taken out of them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pytest_devenv.probes.cluster.tried import Trial
from tests.cluster.controlplane.conftest import DEPLOYMENT

if TYPE_CHECKING:
    from pytest_devenv.fixtures.cluster import ClusterHandle

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300)]

FULL = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: backend
  labels: {part-of: shop, team: red}
  annotations: {note: first, kept: "yes"}
spec:
  replicas: 1
  selector: {matchLabels: {app: backend}}
  template:
    metadata: {labels: {app: backend}}
    spec:
      containers:
        - name: backend
          image: "shop/backend:1"
          env: [{name: COLOUR, value: blue}, {name: SIZE, value: "3"}]
          ports: [{name: http, containerPort: 3000, protocol: TCP}, {name: metrics, containerPort: 9000}]
        - name: beside
          image: "shop/beside:1"
"""


def taken_out() -> dict[str, Any]:
    """Return the manifest without a label, an annotation, a variable, a port and a container, and without defaults."""
    manifest: dict[str, Any] = yaml.safe_load(FULL)
    manifest["metadata"] = {"name": "backend", "labels": {"part-of": "shop"}, "annotations": {"kept": "yes"}}
    del manifest["spec"]["replicas"]
    pod = manifest["spec"]["template"]["spec"]
    del pod["containers"][1]
    pod["containers"][0] |= {
        "env": [{"name": "COLOUR", "value": "blue"}],
        "ports": [{"name": "http", "containerPort": 3000}],
    }
    return manifest


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["by kubectl", "by the server"])
def test_what_was_taken_out_of_a_manifest_has_drifted(space: ClusterHandle, kubectl: str, how: tuple[str, ...]) -> None:
    """A field that was applied and is in the manifest no longer is told of; one that the server sets anyway is not."""
    config = space.target.kubeconfig
    assert config is not None
    words = [f"--kubeconfig={config.files[0]}", f"--namespace={space.namespace}", "apply", "--filename=-", *how]
    subprocess.run([kubectl, *words], input=FULL, text=True, timeout=60, check=True, capture_output=True)
    trial = Trial(space.api, space.namespace)
    assert trial.of(yaml.safe_load(FULL)).changes == []
    changes = trial.of(taken_out()).changes
    container = "spec.template.spec.containers"
    assert sorted(each.partition(":")[0] for each in changes) == [
        "metadata.annotations.note",
        "metadata.labels.team",
        f"{container}[backend].env[SIZE]",
        f"{container}[backend].ports[metrics]",
        f"{container}[beside]",
    ]
    assert "metadata.labels.team: red → nothing" in changes
    space.api.request("DELETE", f"/apis/apps/v1/namespaces/{space.namespace}/deployments/backend")
    assert trial.of(taken_out()).changes == ["is not there"]


def test_what_others_added_is_no_drift(space: ClusterHandle, kubectl: str) -> None:
    """What a controller or a person put beside the manifest is left alone by applying it, and so is not told of."""
    config = space.target.kubeconfig
    assert config is not None
    words = [f"--kubeconfig={config.files[0]}", f"--namespace={space.namespace}"]
    for action, given in (("apply --filename=-", DEPLOYMENT), ("label deployment/backend seen=yes", None)):
        subprocess.run(
            [kubectl, *words, *action.split()], input=given, text=True, timeout=60, check=True, capture_output=True
        )
    assert Trial(space.api, space.namespace).of(yaml.safe_load(DEPLOYMENT)).changes == []
