"""A PostgreSQL of one pod in a namespace of its own, for tests of how a cluster is asked and reached."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from pytest_devenv.clients.kubernetes import Api, Kubeconfig, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cluster.conftest import ReferenceCluster

USER, PASSWORD = "shop", "open-sesame-in-the-cluster"
PORT = 5432
READY_S = 240
_POLL_S = 0.2
_LABELS = {"app": "postgres"}
_READY = {"exec": {"command": ["pg_isready", "--host=127.0.0.1", f"--username={USER}"]}, "periodSeconds": 1}
_OBJECTS: tuple[dict[str, Any], ...] = (
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "postgres"},
        "stringData": {"password": PASSWORD},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "postgres"},
        "spec": {"selector": _LABELS, "ports": [{"port": 15432, "targetPort": "postgres"}]},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "postgres"},
        "spec": {
            "selector": {"matchLabels": _LABELS},
            "template": {
                "metadata": {"labels": _LABELS},
                "spec": {
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 2,
                    "containers": [
                        {
                            "name": "postgres",
                            "image": "postgres:18",
                            "imagePullPolicy": "IfNotPresent",
                            "env": [
                                {"name": "POSTGRES_USER", "value": USER},
                                {"name": "POSTGRES_PASSWORD", "value": PASSWORD},
                            ],
                            "ports": [{"name": "postgres", "containerPort": PORT}],
                            "readinessProbe": {**_READY, "timeoutSeconds": 5},
                        }
                    ],
                },
            },
        },
    },
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where the PostgreSQL is, and who asks for it."""

    cluster: ReferenceCluster
    api: Api
    namespace: str

    @property
    def kubeconfig(self) -> Kubeconfig:
        """The context of the cluster, as a run has it."""
        return kubeconfig_of(self.cluster)

    @property
    def pods(self) -> str:
        """The path of its pods."""
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def pod(self) -> str:
        """Return the name of its pod, once that is ready and no other is about to end."""
        found: list[str] = []

        def holds() -> bool:
            found[:] = [each["metadata"]["name"] for each in self.api.list(self.pods) if _is_ready(each)]
            return len(found) == 1

        self.until(holds)
        return found[0]

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, which is asked for again and again."""
        end = time.monotonic() + READY_S
        while not holds():
            assert time.monotonic() < end, self.kubectl("get", "pods,events", "--output=wide")
            time.sleep(_POLL_S)

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Return what kubectl prints of the namespace."""
        return self.cluster.kubectl("--namespace", self.namespace, *words, stdin=stdin, deadline_s=READY_S)


@contextlib.contextmanager
def deployed(cluster: ReferenceCluster) -> Iterator[Deployed]:
    """Deploy it, and take its namespace away in the end."""
    namespace = f"client-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", namespace)
    api = connect(kubeconfig_of(cluster), deadline_s=60)
    try:
        made = Deployed(cluster, api, namespace)
        made.kubectl("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": _OBJECTS}))
        made.pod()
        yield made
    finally:
        api.close()
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def kubeconfig_of(cluster: ReferenceCluster) -> Kubeconfig:
    """Return the cluster's context, as a run has it."""
    return Kubeconfig((cluster.kubeconfig,), cluster.context, "the cluster of the tests")


def kubeconfig_with(cluster: ReferenceCluster, file: Path, user: dict[str, Any]) -> Kubeconfig:
    """Write a kubeconfig that leads to the cluster as another user, and return its context, of the same name."""
    content = yaml.safe_load(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=yaml"))
    content["users"] = [{"name": each["name"], "user": user} for each in content["users"]]
    file.write_text(yaml.safe_dump(content))
    return Kubeconfig((file,), cluster.context, "another user of the cluster of the tests")


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]
