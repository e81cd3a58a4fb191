"""The reference environment in the cluster of the tests: brought up from k8s/ once, for every test that looks at it."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.conftest import ReferenceCluster

ROOT = Path(__file__).parents[2]
NAMESPACE = "kiro-dev"
DEPLOYMENTS = ("postgres", "redis", "backend", "frontend")
START_S = 300
_GONE_S = 180
_LABEL = "app.kubernetes.io/part-of=kiro"


@dataclass(frozen=True, slots=True)
class ReferenceEnvironment:
    """An environment that is up: the cluster, its namespace, and the kustomization that made it."""

    cluster: ReferenceCluster
    namespace: str
    kustomization: Path

    def kubectl(self, *words: str, stdin: str | None = None, deadline_s: float = 120) -> str:
        """Run kubectl in its namespace, and return what that prints."""
        return self.cluster.kubectl(f"--namespace={self.namespace}", *words, stdin=stdin, deadline_s=deadline_s)

    def get(self, *words: str) -> dict[str, Any]:
        """Return an object, or a list of them, as the API server has it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "--output=json"))
        return found

    def finished(self, job: str, *, deadline_s: float = START_S) -> str:
        """Wait until a Job is complete, and return its log; one that failed is an AssertionError with its log."""
        gives_up_at = time.monotonic() + deadline_s
        while time.monotonic() < gives_up_at:
            for condition in self.get("job", job)["status"].get("conditions", ()):
                if condition["status"] == "True" and condition["type"] in {"Complete", "Failed"}:
                    log = self.kubectl("logs", f"job/{job}", "--all-containers", "--tail=-1")
                    assert condition["type"] == "Complete", f"{job}: {condition}\n{log}"
                    return log
            time.sleep(0.5)
        msg = f"{job} did not end within {deadline_s:g} s:\n{self.seen()}"
        raise AssertionError(msg)

    def resumed(self, job: str) -> str:
        """Let a suspended Job run, and return its log once it is complete."""
        self.kubectl("patch", "job", job, "--patch", '{"spec":{"suspend":false}}')
        return self.finished(job)

    def query(self, sql: str, database: str = "kiro") -> str:
        """Return what psql answers in the pod of PostgreSQL."""
        words = ("exec", "deployment/postgres", "--container=postgres", "--")
        psql = ("psql", "--no-psqlrc", "-qtA", "-h", "/var/run/postgresql", "-U", "kiro", "-d", database, "-c", sql)
        return self.kubectl(*words, *psql).strip()

    def seen(self) -> str:
        """Return what is there, for a failure that says it."""
        return self.kubectl("get", "pods,jobs,persistentvolumeclaims", "--output=wide") + self.kubectl(
            "get", "events", "--sort-by=.lastTimestamp"
        )


@contextmanager
def brought_up(cluster: ReferenceCluster, kustomization: Path, namespace: str) -> Iterator[ReferenceEnvironment]:
    """Give an environment made anew of a kustomization, when all of it is ready; it is removed afterwards."""
    deployed = ReferenceEnvironment(cluster, namespace, kustomization)
    _remove(deployed, deadline_s=_GONE_S)
    cluster.kubectl("apply", "--kustomize", str(kustomization))
    try:
        _wait(deployed)
        yield deployed
    finally:
        _remove(deployed)


def for_developer(slot: int, folder: Path) -> Path:
    """Write the overlay of one more developer as the docs say, and return it: a copy in which the slot is changed."""
    shutil.copytree(ROOT / "k8s", folder / "k8s")
    overlay = folder / "k8s" / "overlays" / "developer"
    file = overlay / "kustomization.yaml"
    text = file.read_text()
    assert text.count("slot=1") == 1
    file.write_text(text.replace("slot=1", f"slot={slot}"))
    return overlay


@contextmanager
def reference(cluster: ReferenceCluster) -> Iterator[ReferenceEnvironment]:
    """Give the environment that `kubectl apply -k k8s/` makes."""
    with brought_up(cluster, ROOT / "k8s", NAMESPACE) as environment:
        yield environment


def _wait(deployed: ReferenceEnvironment) -> None:
    gives_up_at = time.monotonic() + START_S
    deployed.finished("database-migration")
    for name in DEPLOYMENTS:
        left_s = max(1, int(gives_up_at - time.monotonic()))
        try:
            deployed.kubectl("rollout", "status", f"deployment/{name}", f"--timeout={left_s}s", deadline_s=left_s + 30)
        except Exception as error:
            error.add_note(deployed.seen())
            raise


def _remove(deployed: ReferenceEnvironment, *, deadline_s: int | None = None) -> None:
    """Remove the environment, and wait until it is gone where a deadline is given."""
    how = ("--wait=false",) if deadline_s is None else (f"--timeout={deadline_s}s",)
    words = ("delete", "--kustomize", str(deployed.kustomization), "--ignore-not-found", "--now", *how)
    deployed.cluster.kubectl(*words, deadline_s=(deadline_s or 0) + 60)
