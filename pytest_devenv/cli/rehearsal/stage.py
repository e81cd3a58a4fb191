"""A namespace in which the migration of an environment runs alone, and what becomes of its Jobs there."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes import namespaces
from pytest_devenv.clients.kubernetes.errors import ApiError
from pytest_devenv.clients.kubernetes.manifests import apply
from pytest_devenv.clients.kubernetes.resources import Reference, Resources
from pytest_devenv.clients.kubernetes.waiting import wait
from pytest_devenv.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.cli.rehearsal.parts import Parts
    from pytest_devenv.clients.kubernetes import Api

PURPOSE = {"app.kubernetes.io/managed-by": "pytest-devenv", "pytest-devenv/purpose": "test-migration"}
_NAME_CHARACTERS = 40
_GONE_S = 120.0
_LEFT_S = 3600.0
_TAIL = "40"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a Job ended: Kubernetes' own reason where it failed, and the last lines of its log."""

    job: str
    succeeded: bool
    reason: str
    log: str
    took_s: float


def name_for(base: str) -> str:
    """Return a new name for a namespace, which says whose it is."""
    return f"{base[:_NAME_CHARACTERS].rstrip('-')}-test-migration-{secrets.token_hex(3)}"


class Stage:
    """The namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self._resources = Resources(api)

    def apply(self, parts: Parts) -> None:
        """Apply the manifests. Raises ApiError."""
        for manifest in parts.manifests:
            apply(self.api, self._resources.reference(manifest, self.namespace), manifest, force=True, dry_run=False)

    def resume(self, job: str) -> None:
        """Let a suspended Job run."""
        path = self._resources.reference(job, self.namespace).path
        patch = {"spec": {"suspend": False}}
        self.api.request("PATCH", path, patch, content_type="application/merge-patch+json")

    def ended(self, job: str, *, deadline_s: float) -> Ended:
        """Wait until a Job has completed or failed; one that does neither in time has failed too."""
        began = time.monotonic()
        reference = self._resources.reference(job, self.namespace)
        try:
            found = wait(self.api, reference, _is_finished, deadline_s=deadline_s)
            reason = _failure(found or {})
        except WaitTimeoutError as error:
            reason = error.message
        took_s = time.monotonic() - began
        return Ended(job=job, succeeded=reason == "", reason=reason, log=self._log(reference), took_s=took_s)

    def _log(self, job: Reference) -> str:
        """Return the end of the log of a Job's newest pod, of each container that has one."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        pods = self.api.list(path, labelSelector=f"job-name={job.name}")
        if not pods:
            return ""
        pod = max(pods, key=lambda each: str(each["metadata"].get("creationTimestamp", "")))
        texts = []
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            try:
                log = f"{path}/{pod['metadata']['name']}/log"
                texts.append(self.api.text(log, container=container["name"], tailLines=_TAIL))
            except ApiError:  # it has not begun
                continue
        return "".join(texts)


def sweep(api: Api) -> None:
    """Remove the namespaces of rehearsals that were killed. Raises ApiError."""
    namespaces.sweep(api, PURPOSE, lambda metadata: namespaces.age_s(metadata) > _LEFT_S)


@contextmanager
def staged(api: Api, namespace: str, parts: Parts, *, keep: bool) -> Iterator[Stage]:
    """Make the namespace with all that the migration needs; unless kept, it is gone afterwards. Raises ApiError.

    What an earlier run left, since it was killed, goes first.
    """
    sweep(api)
    labels = parts.labels | PURPOSE
    api.request(
        "POST", namespaces.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": _named(namespace, labels)}
    )
    try:
        stage = Stage(api, namespace)
        stage.apply(parts)
        yield stage
    finally:
        if not keep:
            remove(api, namespace)


def remove(api: Api, namespace: str) -> None:
    """Delete the namespace and wait until it is gone. Raises ApiError and WaitTimeoutError."""
    reference = Resources(api).reference(f"namespace/{namespace}", namespace)
    api.request("DELETE", reference.path, propagationPolicy="Background")
    wait(api, reference, "delete", deadline_s=_GONE_S)


def _named(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "labels": labels}


def _is_finished(job: dict[str, Any]) -> bool:
    return any(_holds(job, each) for each in ("Complete", "Failed"))


def _failure(job: dict[str, Any]) -> str:
    """Return why a Job failed; empty where it completed."""
    for each in job.get("status", {}).get("conditions") or ():
        if each["type"] == "Failed" and each["status"] == "True":
            return ": ".join(filter(None, (each.get("reason", "Failed"), each.get("message"))))
    return "" if _holds(job, "Complete") else "it is gone"


def _holds(job: dict[str, Any], condition: str) -> bool:
    conditions = job.get("status", {}).get("conditions") or ()
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)
