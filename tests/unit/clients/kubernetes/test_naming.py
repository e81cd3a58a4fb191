"""A request is told in the words of RBAC."""

from __future__ import annotations

import pytest

from pytest_devenv.clients.kubernetes.naming import Asked, asked


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/namespaces/shop/pods", Asked("list", "pods", "shop")),
        ("GET", "/api/v1/namespaces/shop/pods/web-1", Asked("get", "pods", "shop", "web-1")),
        ("GET", "/api/v1/namespaces/shop/pods/web-1/log", Asked("get", "pods/log", "shop", "web-1")),
        ("POST", "/api/v1/namespaces/shop/pods/web-1/exec", Asked("create", "pods/exec", "shop", "web-1")),
        ("GET", "/api/v1/namespaces/shop", Asked("get", "namespaces", "shop", "shop")),
        ("GET", "/api/v1/namespaces", Asked("list", "namespaces")),
        ("GET", "/api/v1/nodes?limit=5", Asked("list", "nodes")),
        ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web", Asked("patch", "deployments.apps", "shop", "web")),
        ("DELETE", "/apis/batch/v1/namespaces/shop/jobs", Asked("deletecollection", "jobs.batch", "shop")),
        ("GET", "/version", Asked("get", "/version")),
        ("GET", "/apis/apps/v1", Asked("get", "/apis/apps/v1")),
    ],
)
def test_a_path_says_what_is_asked(method: str, path: str, expected: Asked) -> None:
    """Verb, resource with its group and what is below it, namespace and name are read from the path alone."""
    assert asked(method, path) == expected


def test_a_watch_has_its_own_verb() -> None:
    """RBAC tells watching from listing, and so do we."""
    assert str(asked("GET", "/api/v1/namespaces/shop/pods", watch=True)) == "watch pods in namespace shop"
