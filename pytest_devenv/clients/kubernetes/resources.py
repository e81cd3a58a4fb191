"""What kubectl calls things by: `deploy/backend`, `svc`, a kind of a manifest; and the path that each is served at."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_devenv.clients.kubernetes.errors import ApiError
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.clients.kubernetes.api import Api


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object as the API server serves it; `version` is `v1`, or `apps/v1` with its group."""

    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        return self.version.rpartition("/")[0]

    @property
    def singular(self) -> str:
        """What one of them is called."""
        return self.kind.lower()

    def answers_to(self, word: str) -> bool:
        """Tell whether kubectl would take this word, which may have a group behind it, for this kind."""
        name, _, group = word.lower().partition(".")
        return name in {self.plural, self.singular, *self.short} and (not group or group == self.group)

    def path(self, namespace: str, name: str | None = None) -> str:
        """Return the path of the collection, or of the one object of this name."""
        root = f"/apis/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced else ""
        return f"{root}{place}/{self.plural}" + ("" if name is None else f"/{quote(name, safe='')}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One object by its kind, namespace and name. It reads as kubectl names it: `deployment/backend`."""

    resource: Resource
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Where the object is served."""
        return self.resource.path(self.namespace, self.name)

    @property
    def collection(self) -> str:
        """Where those of its kind are served, for a watch."""
        return self.resource.path(self.namespace)

    @property
    def place(self) -> str:
        """The namespace in words, with a space before it; empty where the kind has none."""
        return f" in namespace {self.namespace}" if self.resource.namespaced else ""

    def __str__(self) -> str:
        return f"{self.resource.singular}/{self.name}"


def _known(version: str, *kinds: str, namespaced: bool = True) -> Iterator[Resource]:
    for line in kinds:
        kind, plural, *short = line.split()
        yield Resource(version, plural, kind, namespaced, tuple(short))


# What every cluster serves, so that nothing is asked for it: https://kubernetes.io/docs/reference/kubectl/
BUILT_IN: tuple[Resource, ...] = (
    *_known("v1", "Pod pods po", "Service services svc", "ConfigMap configmaps cm", "Secret secrets"),
    *_known("v1", "PersistentVolumeClaim persistentvolumeclaims pvc", "ServiceAccount serviceaccounts sa"),
    *_known("v1", "Event events ev", "ResourceQuota resourcequotas quota", "LimitRange limitranges limits"),
    *_known("v1", "Endpoints endpoints ep"),
    *_known(
        "v1", "Namespace namespaces ns", "Node nodes no", "PersistentVolume persistentvolumes pv", namespaced=False
    ),
    *_known("apps/v1", "Deployment deployments deploy", "StatefulSet statefulsets sts", "DaemonSet daemonsets ds"),
    *_known("apps/v1", "ReplicaSet replicasets rs"),
    *_known("batch/v1", "Job jobs", "CronJob cronjobs cj"),
    *_known("networking.k8s.io/v1", "NetworkPolicy networkpolicies netpol", "Ingress ingresses ing"),
    *_known("rbac.authorization.k8s.io/v1", "Role roles", "RoleBinding rolebindings"),
    *_known(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole clusterroles",
        "ClusterRoleBinding clusterrolebindings",
        namespaced=False,
    ),
    *_known("policy/v1", "PodDisruptionBudget poddisruptionbudgets pdb"),
    *_known("autoscaling/v2", "HorizontalPodAutoscaler horizontalpodautoscalers hpa"),
    *_known("discovery.k8s.io/v1", "EndpointSlice endpointslices"),
    *_known("storage.k8s.io/v1", "StorageClass storageclasses sc", namespaced=False),
    *_known("apiextensions.k8s.io/v1", "CustomResourceDefinition customresourcedefinitions crd crds", namespaced=False),
)
_NAME = re.compile(r"(?P<kind>[A-Za-z][\w.-]*)/(?P<name>[^/\s]+)")


class Resources:
    """The kinds that one API server has. What is not built in is asked of it, once. Threads may share it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._served: dict[str, tuple[Resource, ...]] = {}

    def named(self, word: str) -> Resource:
        """Return the kind that kubectl means by a word such as `pods`, `deploy`, `widgets.example.com`.

        Raises TargetError where the server has none.
        """
        for each in BUILT_IN:
            if each.answers_to(word):
                return each
        group = word.partition(".")[2]
        for version in self._versions():
            if not group or version.rpartition("/")[0] == group:
                for each in self._of(version):
                    if each.answers_to(word):
                        return each
        raise self._unknown(word)

    def of(self, manifest: Mapping[str, Any]) -> Resource:
        """Return the kind of a manifest. Raises TargetError where the server has none such."""
        version, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
        for each in BUILT_IN:
            if (each.version, each.kind) == (version, kind):
                return each
        for fresh in (False, True):  # what was not there a moment ago may have been defined since
            for each in self._of(version, fresh=fresh):
                if each.kind == kind:
                    return each
        what = f"{kind} of {version}"
        raise self._unknown(what)

    def reference(self, subject: str | Mapping[str, Any], namespace: str) -> Reference:
        """Return the object that `deployment/backend` or a manifest names, in this namespace unless it has its own.

        Raises TargetError for anything else.
        """
        if isinstance(subject, str):
            match = _NAME.fullmatch(subject)
            if match is None:
                msg = f"expected a kind and a name, such as deployment/backend, found {subject!r}"
                raise TargetError(msg, remedy="write it as KIND/NAME")
            return Reference(self.named(match["kind"]), namespace, match["name"])
        metadata = subject.get("metadata", {})
        own = metadata.get("namespace") or namespace
        return Reference(self.of(subject), str(own), str(metadata.get("name")))

    def _versions(self) -> list[str]:
        groups = self._api.get("/apis").get("groups", [])
        return ["v1", *(str(group["preferredVersion"]["groupVersion"]) for group in groups)]

    def _of(self, version: str, *, fresh: bool = False) -> tuple[Resource, ...]:
        with self._lock:
            if fresh or version not in self._served:
                self._served[version] = self._asked(version)
            return self._served[version]

    def _asked(self, version: str) -> tuple[Resource, ...]:
        root = "/apis" if "/" in version else "/api"
        try:
            found = self._api.get(f"{root}/{version}").get("resources", [])
        except ApiError as error:
            if not error.missing:
                raise
            return ()
        return tuple(
            Resource(version, each["name"], each["kind"], bool(each["namespaced"]), tuple(each.get("shortNames", ())))
            for each in found
            if "/" not in each["name"]
        )

    def _unknown(self, what: str) -> TargetError:
        msg = f"expected a kind of object that the API server has, found {what}, looked at context {self._api.context}"
        return TargetError(msg, remedy=f"see which there are: {self._api.access.kubectl} api-resources")
