"""Kubernetes: kubeconfigs, the API with its watches and streams, and the forwards to pods.

The names below are loaded at their first use, so that who only reads a kubeconfig does not pay for the others.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes.api import Api, connect, connect_in_pod
    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.clients.kubernetes.errors import ApiError, UnreachableError
    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
    from pytest_devenv.clients.kubernetes.watch import WatchEvent
else:
    _PLACES = {
        "Api": "api",
        "connect": "api",
        "connect_in_pod": "api",
        "Cluster": "cluster",
        "ApiError": "errors",
        "UnreachableError": "errors",
        "Kubeconfig": "kubeconfig",
        "WatchEvent": "watch",
    }

    def __getattr__(name: str) -> object:
        if name not in _PLACES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


__all__ = [
    "Api",
    "ApiError",
    "Cluster",
    "Kubeconfig",
    "UnreachableError",
    "WatchEvent",
    "connect",
    "connect_in_pod",
]
