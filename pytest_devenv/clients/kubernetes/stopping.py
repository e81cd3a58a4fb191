"""Stopping workloads for a while: scaled to nothing, and back to what they were."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.pods import path_of, selector_of
from pytest_devenv.clients.kubernetes.resources import Resources
from pytest_devenv.clients.kubernetes.waiting import wait
from pytest_devenv.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_devenv.clients.kubernetes.api import Api

_PAUSE_S = 0.5
_MERGE = "application/merge-patch+json"
SCALED = ("deployment", "statefulset")


@contextmanager
def stopped(
    api: Api,
    namespace: str,
    workloads: Sequence[str],
    *,
    deadline_s: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Have no pod of these workloads, written as `deployment/backend`, while the block runs; then start them again.

    They are started also where the block fails; whether they come up is waited for only where it did not. One that had
    no pods before has none afterwards. Raises what the API raises, and WaitTimeoutError.
    """
    before = {each: _replicas(api, namespace, each) for each in workloads}
    try:
        for each, replicas in before.items():
            on_step(f"stopping {each}, which has {replicas} of them")
            _scale(api, namespace, each, 0)
        for each in before:
            _wait_until_gone(api, namespace, each, deadline_s)
        yield
    finally:
        for each, replicas in before.items():
            on_step(f"starting {each} again")
            _scale(api, namespace, each, replicas)
    for each in before:
        wait(api, Resources(api).reference(each, namespace), "rollout", deadline_s=deadline_s)
        on_step(f"{each} is up again")


def _replicas(api: Api, namespace: str, workload: str) -> int:
    kind, _, name = workload.partition("/")
    return int(api.get(path_of(kind, namespace, name))["spec"].get("replicas", 1))


def _scale(api: Api, namespace: str, workload: str, replicas: int) -> None:
    kind, _, name = workload.partition("/")
    api.request("PATCH", path_of(kind, namespace, name), {"spec": {"replicas": replicas}}, content_type=_MERGE)


def _wait_until_gone(api: Api, namespace: str, workload: str, deadline_s: float) -> None:
    kind, _, name = workload.partition("/")
    selector = selector_of(api.get(path_of(kind, namespace, name)))
    end = time.monotonic() + deadline_s
    while pods := api.list(path_of("pod", namespace), labelSelector=selector):
        if time.monotonic() > end:
            names = ", ".join(pod["metadata"]["name"] for pod in pods)
            msg = f"expected no pod of {workload} within {deadline_s:g} s after it was stopped, found {names}"
            raise WaitTimeoutError(msg, remedy=f"{api.access.kubectl} --namespace {namespace} describe {workload}")
        time.sleep(_PAUSE_S)
