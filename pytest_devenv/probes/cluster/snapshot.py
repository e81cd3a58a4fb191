"""What is in the namespace, and on which nodes: read at once, for all looks of a run."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devenv.probes.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes import Api, ApiError, Cluster
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

_CORE, _APPS, _BATCH, _DISCOVERY = "/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/discovery.k8s.io/v1"
_GROUPS = {
    "pods": _CORE,
    "services": _CORE,
    "persistentvolumeclaims": _CORE,
    "events": _CORE,
    "deployments": _APPS,
    "replicasets": _APPS,
    "statefulsets": _APPS,
    "daemonsets": _APPS,
    "jobs": _BATCH,
    "cronjobs": _BATCH,
    "endpointslices": _DISCOVERY,
}
_KINDS = {
    "deployment": ("deployments", "replicasets"),
    "statefulset": ("statefulsets",),
    "daemonset": ("daemonsets",),
    "job": ("jobs",),
    "cronjob": ("cronjobs", "jobs"),
    "pod": (),
}
_ALWAYS = ("pods", "services", "endpointslices", "persistentvolumeclaims", "events")
_AT_ONCE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The objects of the namespace by resource, and the nodes; in their place, what refused to let them be read.

    `namespace` is the namespace itself, None where it is not there. `now_s` is the time of the reading, in seconds
    since the epoch.
    """

    namespace: Object | ApiError | None
    found: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    refused: Mapping[str, ApiError] = field(default_factory=dict)
    now_s: float = 0.0

    def all(self, resource: str) -> tuple[Object, ...]:
        """Return the objects of a resource; none where they could not be read."""
        return self.found.get(resource, ())

    def named(self, resource: str, name: str) -> Object | None:
        """Return the object of this name."""
        return next((each for each in self.all(resource) if each["metadata"]["name"] == name), None)

    def may_not(self, *resources: str) -> tuple[ApiError, ...]:
        """Return what refused to let these resources be read."""
        return tuple(self.refused[each] for each in resources if each in self.refused)


def resources_of(settings: Settings) -> tuple[str, ...]:
    """Return the resources without which nothing can be said of the services of these settings."""
    kinds = [each.workload.partition("/")[0] for each in settings.services.values() if each.workload is not None]
    needed = (resource for kind in kinds for resource in _KINDS[kind])
    return tuple(dict.fromkeys(("pods", "services", "endpointslices", *needed)))


def snapshots() -> Shared[Snapshot]:
    """Return the reading that the probes of one run share."""
    return Shared(_read)


def cluster_of(environment: Environment) -> Cluster:
    """Return the cluster of an environment that is on one."""
    if environment.cluster is None:
        raise AssertionError("an environment on the cluster target has a cluster")
    return environment.cluster


def _read(environment: Environment) -> Snapshot:
    cluster = cluster_of(environment)
    resources = tuple(dict.fromkeys((*_ALWAYS, *resources_of(environment.settings), "nodes", "")))
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="snapshot") as threads:
        readings = dict(zip(resources, threads.map(partial(_one, cluster), resources), strict=True))
    namespace = readings.pop("")
    return Snapshot(
        namespace=namespace if not isinstance(namespace, tuple) else next(iter(namespace), None),
        found={each: _in_order(objects) for each, objects in readings.items() if isinstance(objects, tuple)},
        refused={each: error for each, error in readings.items() if not isinstance(error, tuple)},
        now_s=time.time(),
    )


def _one(cluster: Cluster, resource: str) -> tuple[Object, ...] | ApiError:
    """Read one resource, or for an empty name the namespace itself. Raises UnreachableError."""
    from pytest_devenv.clients.kubernetes import ApiError

    try:
        return tuple(_asked(cluster.api, cluster.namespace, resource))
    except ApiError as error:
        if error.status in {401, 403}:
            return error
        if error.status == 404:  # noqa: PLR2004  # the namespace, or an API that this server does not have
            return ()
        raise


def _asked(api: Api, namespace: str, resource: str) -> list[dict[str, Any]]:
    if resource == "":
        return [api.get(f"{_CORE}/namespaces/{namespace}")]
    if resource == "nodes":
        return api.list(f"{_CORE}/nodes")
    return api.list(f"{_GROUPS[resource]}/namespaces/{namespace}/{resource}")


def _in_order(objects: tuple[Object, ...]) -> tuple[Object, ...]:
    """Return objects in the order in which they came to be, and events in that in which they were last seen."""
    return tuple(sorted(objects, key=_moment))


def _moment(each: Object) -> str:
    created = each.get("metadata", {}).get("creationTimestamp") or ""
    return str(each.get("lastTimestamp") or each.get("eventTime") or created)
