"""The cluster of an environment: its API, and the namespace in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.clients.kubernetes.forward import Forward
    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
    from pytest_devenv.clients.kubernetes.platform import Platform


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where an environment runs in Kubernetes.

    `context` is the one that is pinned, `in-cluster` inside a pod. `platform` is the kind of cluster, such as minikube,
    with what it has for images, where it is known. `kubeconfig` is what other clients need to reach the same place;
    inside a pod there is none. `forwards` are those of this run, by service.
    """

    api: Api
    namespace: str
    context: str
    platform: Platform | None = None
    kubeconfig: Kubeconfig | None = None
    forwards: Mapping[str, Forward] = field(default_factory=lambda: MappingProxyType({}))
