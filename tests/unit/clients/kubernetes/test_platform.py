"""Which kind of cluster is told by nodes and names as the real ones have them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_devenv.clients.kubernetes.platform import detect


def node(
    name: str, *, provider: str = "", runtime: str = "containerd://2.1.4", version: str = "v1.34.1", **labels: str
) -> dict[str, Any]:
    """Return a Node object; in a label's key `__` stands for a slash, `_` for a dot."""
    return {
        "metadata": {
            "name": name,
            "labels": {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()},
        },
        "spec": {"providerID": provider} if provider else {},
        "status": {"nodeInfo": {"containerRuntimeVersion": runtime, "kubeletVersion": version}},
    }


DOCKER = "docker://28.3.3"
K3S = "v1.33.4+k3s1"


@pytest.mark.parametrize(
    ("context", "nodes", "said"),
    [
        pytest.param(
            "minikube",
            [node("minikube", runtime=DOCKER, minikube_k8s_io__name="minikube")],
            'minikube (no registry, no load balancer, eval "$(minikube docker-env)")',
            id="minikube",
        ),
        pytest.param(
            "shop",
            [node("shop", minikube_k8s_io__name="shop")],
            "minikube (no registry, no load balancer, no docker-env)",
            id="minikube, a profile on containerd",
        ),
        pytest.param(
            "kind-devenv",
            [node("devenv-control-plane", provider="kind://docker/devenv/devenv-control-plane")],
            "kind (no registry, no load balancer, no docker-env)",
            id="kind",
        ),
        pytest.param(
            "k3d-shop",
            [node("k3d-shop-server-0", provider="k3s://k3d-shop-server-0", version=K3S)],
            "k3d (no registry, load balancer, no docker-env)",
            id="k3d",
        ),
        pytest.param(
            "default",
            [node("box", provider="k3s://box", version=K3S)],
            "k3s (no registry, load balancer, no docker-env)",
            id="k3s",
        ),
        pytest.param(
            "docker-desktop",
            [node("docker-desktop", runtime=DOCKER)],
            "docker-desktop (no registry, load balancer, the local docker's images)",
            id="docker-desktop",
        ),
        pytest.param(
            "docker-desktop",
            [node("desktop-control-plane", provider="kind://docker/desktop/desktop-control-plane")],
            "docker-desktop (no registry, load balancer, no docker-env)",
            id="docker-desktop, of several nodes",
        ),
        pytest.param(
            "rancher-desktop",
            [node("lima-rancher-desktop", provider="k3s://lima-rancher-desktop", runtime=DOCKER, version=K3S)],
            "rancher-desktop (no registry, load balancer, the local docker's images)",
            id="rancher-desktop",
        ),
        pytest.param(
            "colima-work",
            [node("colima-work", provider="k3s://colima-work", runtime=DOCKER, version=K3S)],
            "colima (no registry, load balancer, the local docker's images)",
            id="colima, a profile",
        ),
        pytest.param(
            "orbstack",
            [node("orbstack", runtime=DOCKER)],
            "orbstack (no registry, load balancer, the local docker's images)",
            id="orbstack",
        ),
        pytest.param(
            "microk8s",
            [node("box", microk8s_io__cluster="true")],
            "microk8s (registry localhost:32000, no load balancer, no docker-env)",
            id="microk8s",
        ),
        pytest.param(
            "devenv-controlplane", [], "controlplane (no registry, no load balancer, no docker-env)", id="controlplane"
        ),
    ],
)
def test_each_platform_is_known_by_its_nodes(context: str, nodes: list[dict[str, Any]], said: str) -> None:
    """The nodes tell the platform, and with their container runtime what it has for images."""
    assert str(detect(context, nodes)) == said


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("minikube", "minikube"),
        ("kind-devenv", "kind"),
        ("k3d-shop", "k3d"),
        ("colima", "colima"),
        ("colima-work", "colima"),
        ("docker-desktop", "docker-desktop"),
        ("my-cluster", None),
        (None, None),
    ],
)
def test_without_a_look_at_nodes_the_name_is_taken(context: str | None, name: str | None) -> None:
    """Who may not see the nodes still learns what the usual name of a context stands for."""
    found = detect(context, [])
    assert (None if found is None else found.name) == name


def test_a_name_alone_makes_no_platform() -> None:
    """A context that is called like kind and leads to a cloud is no kind cluster: nodes go before names."""
    assert detect("kind-devenv", [node("ip-10-0-0-1", provider="aws:///eu-central-1a/i-0abc")]) is None


def test_images_go_to_the_cluster_that_is_meant() -> None:
    """The command that loads an image names the cluster, where it is not the one that the program takes by itself."""
    kind = [node("devenv-control-plane", provider="kind://docker/devenv/devenv-control-plane")]
    usual = [node("kind-control-plane", provider="kind://docker/kind/kind-control-plane")]
    profile = [node("shop", runtime=DOCKER, minikube_k8s_io__name="shop")]
    assert [
        getattr(detect(name, nodes), "load", None) for name, nodes in (("kind-devenv", kind), ("kind-kind", usual))
    ] == [
        "kind load docker-image IMAGE --name devenv",
        "kind load docker-image IMAGE",
    ]
    found = detect("shop", profile)
    assert found is not None
    assert (found.load, found.docker_env) == (
        "minikube --profile shop image load IMAGE",
        'eval "$(minikube --profile shop docker-env)"',
    )
