"""Running a Job again: a finished one is done for good, so it is deleted and made anew of what it was."""

from __future__ import annotations

import contextlib
import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.errors import ApiError
from pytest_devenv.errors import TargetError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.clients.kubernetes.api import Api

_GONE_S = 60.0
_PAUSE_S = 0.5
_MADE_BY_THE_SERVER = (
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
    "batch.kubernetes.io/job-name",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A Job that has ended: whether it succeeded, why not, and what its last pod said."""

    succeeded: bool
    reason: str
    log: str
    took_s: float


def run_again(
    api: Api, namespace: str, name: str, *, deadline_s: float, on_step: Callable[[str], None] = lambda _: None
) -> Ended:
    """Delete a Job and its pods, make it anew, not suspended, and wait until it has ended.

    One that was suspended is so again afterwards, whatever happens meanwhile. `on_step` is told what is being done.
    Raises ApiError for what the API server refuses, and WaitTimeoutError.
    """
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    found = api.get(f"{path}/{name}")
    suspended = bool(found["spec"].get("suspend"))
    try:
        on_step(f"deleting the job {name}, with its pods")
        _delete(api, path, name)
        on_step(f"making it anew, and waiting for its end, {deadline_s:g} s at most")
        api.request("POST", path, fresh(found, suspended=False))
        return _wait(api, namespace, name, deadline_s, on_step)
    finally:
        if suspended:
            on_step(f"suspending the job {name} again")
            _delete(api, path, name)
            api.request("POST", path, fresh(found, suspended=True))


def fresh(job: dict[str, Any], *, suspended: bool) -> dict[str, Any]:
    """Return the manifest of which a Job was made: without what the API server added to it."""
    metadata = job["metadata"]
    spec = copy.deepcopy(job["spec"])
    spec.pop("selector", None)
    spec.pop("manualSelector", None)
    labels = spec["template"].setdefault("metadata", {}).get("labels") or {}
    spec["template"]["metadata"]["labels"] = {k: v for k, v in labels.items() if k not in _MADE_BY_THE_SERVER}
    spec["template"]["metadata"].pop("creationTimestamp", None)
    kept = {key: metadata[key] for key in ("name", "namespace", "annotations") if key in metadata}
    kept["labels"] = {k: v for k, v in (metadata.get("labels") or {}).items() if k not in _MADE_BY_THE_SERVER}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": kept, "spec": {**spec, "suspend": suspended}}


def _delete(api: Api, path: str, name: str) -> None:
    """Delete a Job with its pods, and wait until it is gone."""
    with contextlib.suppress(_NotThere):
        _gone(api, "DELETE", f"{path}/{name}", {"propagationPolicy": "Foreground"})
        end = time.monotonic() + _GONE_S
        while time.monotonic() < end:
            _gone(api, "GET", f"{path}/{name}")
            time.sleep(_PAUSE_S)
        msg = f"expected the job {name} gone within {_GONE_S:g} s after it was deleted, found it still there"
        raise WaitTimeoutError(msg, remedy=f"kubectl --context={api.context} describe job {name}")


class _NotThere(Exception):  # noqa: N818  # it is what is waited for
    """An object is not there."""


def _gone(api: Api, method: str, path: str, body: object = None) -> None:
    try:
        api.request(method, path, body)
    except ApiError as error:
        if error.missing:
            raise _NotThere from error
        raise


def _wait(api: Api, namespace: str, name: str, deadline_s: float, on_step: Callable[[str], None]) -> Ended:
    began = time.monotonic()
    said, state = "", "no pod yet"
    while time.monotonic() - began < deadline_s:
        job = api.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
        pods = api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"job-name={name}")
        state = _state(pods)
        if state != said:
            on_step(f"  {state}")
            said = state
        for condition in job.get("status", {}).get("conditions") or ():
            if condition["status"] == "True" and condition["type"] in {"Complete", "Failed"}:
                reason = f"{condition.get('reason', '')}: {condition.get('message', '')}".strip(": ")
                took_s = time.monotonic() - began
                return Ended(condition["type"] == "Complete", reason, _log(api, namespace, pods), took_s)
        time.sleep(_PAUSE_S)
    msg = f"expected the job {name} to end within {deadline_s:g} s, last seen: {state}\n{_log(api, namespace, pods)}"
    raise WaitTimeoutError(msg, remedy=f"kubectl --context={api.context} --namespace={namespace} describe job {name}")


def _state(pods: list[dict[str, Any]]) -> str:
    """Return in words how the newest pod is."""
    if not pods:
        return "no pod yet"
    status = max(pods, key=_made)["status"]
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting")
        if waiting is not None:
            return f"{container['name']} waits: {waiting.get('reason', 'not started')}"
    return f"its pod is {status.get('phase', 'unknown')}"


def _log(api: Api, namespace: str, pods: list[dict[str, Any]]) -> str:
    """Return what the containers of the newest pod have said; what cannot be had is left out."""
    if not pods:
        return ""
    pod = max(pods, key=_made)
    logs = []
    for container in pod["spec"]["containers"]:
        path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/log"
        with contextlib.suppress(TargetError):
            logs.append(api.text(path, container=container["name"], tailLines="200"))
    return "\n".join(logs).rstrip()


def _made(pod: dict[str, Any]) -> str:
    made: str = pod["metadata"]["creationTimestamp"]
    return made
